"""The one Piccolo app: where migrations and tables are."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="mingcha",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=table_finder(["backend.db.tables"], exclude_imported=False),
    migration_dependencies=[],
)
