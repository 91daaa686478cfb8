"""The operator of registration's machine: nobody is one where registration's keys are not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.registration.operator import VaultElsewhere
from services.registration.service import definition
from shared.runtime.settings import settings


def test_without_the_vaults_key_no_other_one_is_made_beside_a_server_that_has_people(tmp_path: Path) -> None:
    unused: Any = None
    there = replace(settings(), secrets=tmp_path, database_url="postgresql://127.0.0.1:1/postgres")
    with pytest.raises(VaultElsewhere):
        definition.tools["operator"](unused, there)
    assert list(tmp_path.iterdir()) == []
