"""The engine object and the one Piccolo app; importing it connects to nothing."""

import os

from piccolo.conf.apps import AppRegistry

from backend.db.engine import Engine

# Piccolo looks for its configuration by this name; ours has one place only.
os.environ["PICCOLO_CONF"] = "backend.piccolo_conf"

DB = Engine()
APP_REGISTRY = AppRegistry(apps=["backend.db.piccolo_app"])
