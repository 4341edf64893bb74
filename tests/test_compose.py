"""The compose file without an engine: what it starts, waits for and never contains."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.__main__ import VERBS
from backend.settings import DUTIES, FACES, from_environment

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docker-compose.yml").read_text("utf-8")
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = FILE["services"]
REQUIRED = re.compile(r"\$\{(\w+):\?[^}]+\}")


def test_the_product_and_its_servers_are_there() -> None:
    assert set(SERVICES) == {
        "postgres", "seaweedfs", "minio", "migrate", "app", "worker", "scheduler",
    }  # fmt: skip
    assert SERVICES["postgres"]["image"].startswith("postgres:18")
    assert SERVICES["minio"]["profiles"] == ["minio"]


def test_every_lasting_service_has_a_health_check_and_no_image_floats() -> None:
    for name, service in SERVICES.items():
        assert name == "migrate" or service["healthcheck"]["test"], name
        assert re.search(r":[\w.-]*\d", service["image"]), name
        assert not service["image"].endswith(":latest"), name


def test_data_and_keys_lie_in_volumes() -> None:
    mounted = {
        str(volume).split(":")[0] for service in SERVICES.values() for volume in service["volumes"]
    }
    assert set(FILE["volumes"]) <= mounted


def test_no_password_has_a_default() -> None:
    secret = re.compile(r"PASSWORD|SECRET|ACCESS_KEY|ROOT_USER")
    for name, service in SERVICES.items():
        for key, value in service["environment"].items():
            if secret.search(key):
                assert REQUIRED.fullmatch(str(value)), f"{name}: {key}"
    example = (ROOT / "deploy" / "env.example").read_text("utf-8")
    given = dict(re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE))
    assert set(given.values()) == {""}
    assert set(REQUIRED.findall(TEXT)) == set(given)


def test_ports_are_published_on_loopback_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_duties_cover_the_product_and_settings_read_every_variable(tmp_path: Path) -> None:
    duties = [SERVICES[name]["environment"].get("MINGCHA_DUTIES") for name in SERVICES]
    assert sorted(filter(None, duties)) == sorted(DUTIES)
    env = dict.fromkeys(SERVICES["app"]["environment"], "http://x")
    env |= {"MINGCHA_DUTIES": "web", "MINGCHA_KEYS": str(tmp_path), "MINGCHA_LANES": "tus"}
    env |= {"MINGCHA_SPOOL": str(tmp_path), "MINGCHA_SPOOL_BYTES": "1000"}
    left_empty = [name for name, text in SERVICES["app"]["environment"].items() if ":-}" in text]
    env |= dict.fromkeys(left_empty, "")
    settings = from_environment(env)
    assert (settings.lanes, settings.spool_bytes) == (("tus",), 1000)
    assert settings.duties == ("web",)
    assert settings.faces == FACES


def test_commands_are_verbs_of_the_command_line() -> None:
    assert SERVICES["migrate"]["command"][0] in VERBS
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert 'ENTRYPOINT ["python", "-m", "backend"]' in dockerfile
    copied = re.findall(r"^COPY (\S+)", dockerfile, re.MULTILINE)
    assert all((ROOT / name).exists() for name in copied)


def test_the_client_accepts_the_file(tmp_path: Path) -> None:
    """`docker compose config` reads it, where the client and its plugin are installed."""
    docker = shutil.which("docker")
    if (
        docker is None
        or subprocess.run(
            [docker, "compose", "version"], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("no docker compose client here: the file was checked as YAML only")
    env = {**os.environ, **dict.fromkeys(REQUIRED.findall(TEXT), "x")}
    command = [docker, "compose", "-f", str(ROOT / "docker-compose.yml"), "config", "-q"]
    done = subprocess.run(
        command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
