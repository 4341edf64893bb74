"""The one Piccolo app: where migrations and tables are."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

HERE = Path(__file__).parent
NOUNS = sorted(file.stem for file in (HERE / "tables").glob("[a-z]*.py"))

APP_CONFIG = AppConfig(
    app_name="mingcha",
    migrations_folder_path=str(HERE / "piccolo_migrations"),
    table_classes=table_finder(
        [f"backend.db.tables.{noun}" for noun in NOUNS], exclude_imported=True
    ),
    migration_dependencies=[],
)
