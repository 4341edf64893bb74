"""What uvicorn loads: the app, composed from the environment."""

from backend.app import create_app
from backend.settings import from_environment

app = create_app(from_environment())
