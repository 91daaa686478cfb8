"""The vault: who somebody is stands nowhere in the open, and goes when it has to (R029, R207)."""

import base64
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from psycopg import errors

from services.registration.domain.identity import check_character
from services.registration.people import People
from shared.bus.calls import Refused
from shared.kernel.actors import Role
from shared.kernel.errors import Refusal
from shared.kernel.ids import derived_id, new_id
from shared.runtime.chassis import Accepted
from shared.runtime.executor import Call, Executor
from shared.security.vault import Identity, Vault
from tests.integration.store.office import CLERK, Office, at_once, somebody

NAME = "欧阳测试"
NUMBER = "990099199001010" + "01"  # of no place that exists
NUMBER += check_character(NUMBER)
PHOTO = b"\x89PNG a portrait of nobody " + bytes(range(256))
LING = derived_id("candidate", "Ling")
HUA = derived_id("candidate", "Hua")
OFFICER = somebody("officer", Role.CENTRE_OFFICER)


class Registry:
    """Enrolment as its service does it, on this office's database."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self.people = People(Vault(b"m" * 32), self.on_a_connection)

    def on_a_connection(self, work: Callable[[Any], Any]) -> Any:
        with closing(self._office.cluster.connect("registration")) as connection:
            return work(connection)

    def enrol(
        self,
        candidate: str,
        *,
        id: str = "",
        number: str = NUMBER,
        name: str = NAME,
        document: str = "resident_id",
    ) -> dict[str, Any]:
        identity = {"name": name, "document": document, "number": number, "photo": PHOTO}
        call = Call(id or new_id(), CLERK)
        return self.people.enrol(Accepted({"candidate": candidate, **identity}, partial(self._decide, call)))

    def erase(self, candidate: str, *, id: str = "") -> dict[str, Any]:
        call = Call(id or new_id(), OFFICER)
        fields = {"candidate": candidate, "ground": "consent_withdrawn"}
        return self.people.erase(Accepted(fields, partial(self._decide, call)))

    def _decide(self, call: Call, command: Any, fields: Any, alongside: Any = None) -> dict[str, Any]:
        executor = Executor(self._office.definition, self._office.source)
        try:
            with self._office.visit() as connection:
                return executor.run(connection, command, fields, call, alongside=alongside)
        except Refusal as refusal:
            raise Refused.of(refusal) from None

    def refusal(self, candidate: str, **more: Any) -> str:
        with pytest.raises(Refused) as refused:
            self.enrol(candidate, **more)
        return refused.value.problem["code"]


@pytest.fixture
def registry(office: Office) -> Registry:
    return Registry(office)


def _everything(office: Office) -> bytes:
    """All bytes of all tables, as a copy of the database would have them."""
    tables = office.admin.execute(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    found = bytearray()
    for (table,) in tables:
        with office.admin.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT (FORMAT BINARY)") as rows:
            for row in rows:
                found += row
    return bytes(found)


def test_neither_name_nor_number_nor_photo_stands_in_any_table(office: Office, registry: Registry) -> None:
    registry.enrol(LING)
    registry.refusal(HUA)
    registry.refusal(LING, name="欧阳其他")
    office.sealer().seal()
    dump = _everything(office)
    assert LING.encode() in dump, "the search finds what is there"
    assert b"PersonEnrolled" in dump
    for secret in (
        NAME.encode(),
        NAME.encode("utf-16-le"),
        NUMBER.encode(),
        NUMBER[6:14].encode(),
        PHOTO[:24],
    ):
        for spelling in (secret, secret.hex().encode(), base64.b64encode(secret)[:-4]):
            assert spelling not in dump


def test_who_is_enrolled_can_be_found_and_the_log_proves_him(office: Office, registry: Registry) -> None:
    registry.enrol(LING)
    found = registry.people.find(LING)
    assert found is not None
    identity, commitments = found
    assert identity == Identity(NAME, "resident_id", NUMBER, PHOTO)
    (event,) = office.drafts()
    assert event["data"] == {
        "candidate": LING,
        "document": "resident_id",
        "identity_commitment": commitments.identity,
        "photo_commitment": commitments.photo,
    }
    assert registry.people.find(HUA) is None


def test_the_same_person_enrolled_under_two_ids_has_no_number_in_common_on_the_log(
    office: Office, registry: Registry
) -> None:
    registry.enrol(LING)
    registry.erase(LING)
    registry.enrol(HUA)
    first, second = (each for each in office.drafts() if each["type"] == "PersonEnrolled")
    assert first["data"]["identity_commitment"] != second["data"]["identity_commitment"]
    assert first["data"]["photo_commitment"] != second["data"]["photo_commitment"]


def test_the_same_number_under_another_id_is_refused_and_leaves_nothing(
    office: Office, registry: Registry
) -> None:
    registry.enrol(LING)
    assert registry.refusal(HUA) == "IdNumberInUse"
    assert (office.count("events"), office.count("vault"), office.count("commands")) == (1, 1, 1)


def test_one_number_of_eighteen_digits_is_one_persons(office: Office, registry: Registry) -> None:
    registry.enrol(LING)
    assert registry.refusal(HUA, document="permanent_residence") == "IdNumberInUse"
    assert (office.count("events"), office.count("vault"), office.count("commands")) == (1, 1, 1)


@pytest.mark.parametrize("document", ["passport", "officer_card"])
def test_a_resident_id_number_is_not_enrolled_again_as_another_document(
    document: str, office: Office, registry: Registry
) -> None:
    registry.enrol(LING)
    assert registry.refusal(HUA, document=document) == "DocumentKindWrong"
    forged = NUMBER[:17] + ("0" if NUMBER[17] != "0" else "1")
    assert registry.refusal(HUA, document=document, number=forged) == "DocumentKindWrong"
    assert (office.count("events"), office.count("vault"), office.count("commands")) == (1, 1, 1)


@pytest.mark.parametrize("again", ["E1234567", "E1234567 ", "e 123 4567", "Ｅ１２３４５６７"])
def test_a_number_is_the_same_however_it_is_spelled(again: str, office: Office, registry: Registry) -> None:
    first = registry.enrol(LING, id=(command := new_id()), document="passport", number="E1234567")
    assert registry.refusal(HUA, document="passport", number=again) == "IdNumberInUse"
    assert registry.enrol(LING, id=command, document="passport", number=again) == first
    assert (office.count("events"), office.count("vault")) == (1, 1)


@pytest.mark.parametrize("number", ["E1234567 ", "ｅ 1234567"])
def test_the_vault_and_the_log_have_the_one_spelling(number: str, office: Office, registry: Registry) -> None:
    registry.enrol(LING, document="passport", number=number)
    found = registry.people.find(LING)
    assert found is not None
    assert found[0].number == "E1234567"
    (event,) = office.drafts()
    assert event["data"]["identity_commitment"] == found[1].identity


def test_a_number_of_spaces_is_none(registry: Registry) -> None:
    assert registry.refusal(LING, document="passport", number="   ") == "InvalidInput"


def test_another_identity_under_the_same_id_is_refused(office: Office, registry: Registry) -> None:
    registry.enrol(LING)
    assert registry.refusal(LING, name="欧阳其他") == "PersonExists"
    assert office.count("vault") == 1


def test_of_two_ids_enrolled_at_once_with_one_number_exactly_one_is_accepted(
    office: Office, registry: Registry
) -> None:
    outcomes = at_once(partial(registry.enrol, each) for each in (LING, HUA))
    answers = [each for each in outcomes if isinstance(each, dict)]
    codes = [each.problem["code"] for each in outcomes if isinstance(each, Refused)]
    assert (len(answers), codes) == (1, ["IdNumberInUse"])
    assert office.count("events") == office.count("vault") == 1


def test_the_same_enrolment_repeated_gets_the_same_answer(office: Office, registry: Registry) -> None:
    id = new_id()
    answer = registry.enrol(LING, id=id)
    assert registry.enrol(LING, id=id) == answer
    assert office.count("events") == office.count("vault") == 1


def test_the_same_enrolment_from_eight_threads_at_once_is_one_and_all_get_its_answer(
    office: Office, registry: Registry
) -> None:
    for candidate, number in [(LING, NUMBER), (HUA, NUMBER[:14] + "029")]:
        number = number[:17] + check_character(number[:17])
        answers = at_once([partial(registry.enrol, candidate, id=new_id(), number=number)] * 8)
        assert answers == [answers[0]] * 8
        assert isinstance(answers[0], dict)
    assert office.count("events") == office.count("vault") == 2


def test_a_command_id_used_for_another_person_is_refused_and_he_is_not_in_the_vault(
    office: Office, registry: Registry
) -> None:
    id = new_id()
    registry.enrol(LING, id=id)
    other = NUMBER[:14] + "029"
    assert registry.refusal(HUA, id=id, number=other + check_character(other)) == "CommandIdReused"
    assert registry.people.find(HUA) is None


def test_erasing_makes_him_unreadable_and_leaves_log_and_commitments(
    office: Office, registry: Registry
) -> None:
    registry.enrol(LING)
    office.sealer().seal()
    before = office.log()
    command = new_id()
    answer = registry.erase(LING, id=command)
    assert registry.erase(LING, id=command) == answer
    with pytest.raises(Refused) as refused:
        registry.erase(LING)
    assert refused.value.problem["code"] == "PersonErasedAlready", "erased once is erased"
    assert registry.people.find(LING) is None
    assert office.admin.execute(
        "SELECT number_index, name_index, wrapped_key, sealed FROM vault"
    ).fetchall() == [(None, None, None, None)]
    assert office.log() == before
    assert office.drafts()[-1]["data"] == {"candidate": LING, "ground": "consent_withdrawn"}
    assert registry.refusal(LING) == "PersonExists", "an erased id never stands for somebody else"


def test_whoever_is_not_enrolled_cannot_be_erased_and_nobody_else_is(
    office: Office, registry: Registry
) -> None:
    registry.enrol(LING)
    with pytest.raises(Refused) as refused:
        registry.erase(HUA)
    assert refused.value.problem["code"] == "PersonUnknown"
    assert registry.people.find(LING) is not None
    assert (office.count("events"), office.count("commands")) == (1, 1)


def test_a_key_that_cannot_be_destroyed_leaves_no_event_that_says_so(
    office: Office, registry: Registry
) -> None:
    registry.enrol(LING)
    office.admin.execute("REVOKE UPDATE ON vault FROM registration_service")
    with pytest.raises(errors.InsufficientPrivilege):
        registry.erase(LING)
    assert office.count("events") == 1
    assert registry.people.find(LING) is not None


@pytest.mark.parametrize("column", ["wrapped_key", "sealed"])
@pytest.mark.parametrize("byte", [0, 12, -1])
def test_a_row_that_was_tampered_with_is_not_opened(
    office: Office, registry: Registry, column: str, byte: int
) -> None:
    registry.enrol(LING)
    office.admin.execute(
        f"UPDATE vault SET {column} = set_byte({column}, (%s + length({column})) %% length({column}),"
        f" 255 - get_byte({column}, (%s + length({column})) %% length({column})))",
        (byte, byte),
    )
    with pytest.raises(InvalidTag):
        registry.people.find(LING)


def test_one_persons_row_does_not_open_as_anothers(office: Office, registry: Registry) -> None:
    registry.enrol(LING)
    office.admin.execute("UPDATE vault SET person = %s", (HUA,))
    with pytest.raises(InvalidTag):
        registry.people.find(HUA)


def test_another_master_key_opens_nothing(office: Office, registry: Registry) -> None:
    registry.enrol(LING)
    stranger = People(Vault(b"n" * 32), registry.on_a_connection)
    with pytest.raises(InvalidTag):
        stranger.find(LING)
    assert Vault(b"n" * 32).number_index("resident_id", NUMBER) != Vault(b"m" * 32).number_index(
        "resident_id", NUMBER
    )


def test_an_identity_and_a_locked_row_do_not_spell_themselves(registry: Registry) -> None:
    identity = Identity(NAME, "resident_id", NUMBER, PHOTO)
    locked, _ = Vault(b"m" * 32).lock(LING, identity)
    for thing in (identity, locked):
        for text in (repr(thing), str(thing), f"{thing}", f"{[thing]!r}"):
            assert NAME not in text
            assert NUMBER not in text
            assert repr(PHOTO)[2:20] not in text
            assert repr(locked.sealed)[2:20] not in text
            assert LING not in text


def test_a_refusal_does_not_repeat_the_number_that_it_refuses(registry: Registry) -> None:
    registry.enrol(LING)
    for candidate, more in [(HUA, {}), (HUA, {"number": NUMBER[:17] + "?"}), (LING, {"name": "欧阳其他"})]:
        with pytest.raises(Refused) as refused:
            registry.enrol(candidate, **more)
        assert NUMBER[:17] not in str(refused.value)
        assert refused.value.__cause__ is None
