"""What can be refused: every reason of the code base has a name, two languages and a way on."""

import pkgutil
import re
from collections import Counter
from importlib import import_module

import pytest

import services
import shared
from shared.kernel.errors import DomainError, InvalidInput, Refusal

UNSAID = (Refusal, DomainError)  # families: nobody raises them as they are


def found(base):
    for cls in base.__subclasses__():
        yield cls
        yield from found(cls)


def everything():
    for package in (services, shared):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.split(".")[-1] != "__main__":
                import_module(module.name)
    ours = {cls for cls in found(Refusal) if cls.__module__.startswith(("services.", "shared."))}
    return sorted(ours - set(UNSAID), key=lambda cls: (cls.__module__, cls.__name__))


REFUSALS = everything()
each = pytest.mark.parametrize("refusal", REFUSALS, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")


@each
def test_a_refusal_has_one_chinese_and_one_english_paragraph(refusal):
    paragraphs = refusal.__dict__["__doc__"].strip().split("\n\n")
    assert len(paragraphs) == 2
    chinese, english = paragraphs
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert chinese.endswith("。")
    assert english.isascii()
    assert english.endswith(".")


@each
def test_a_refusal_says_what_is_the_matter_and_then_what_to_do(refusal):
    problem = refusal().problem()
    for language, separator in (("zh", "；"), ("en", "; ")):
        fact, _, way_on = problem[language].partition(separator)
        assert len(fact) > 3
        assert len(way_on) > 3, "after a semicolon, say what to do next"


@each
def test_a_rule_is_a_requirement_or_nothing(refusal):
    assert re.fullmatch(r"(R\d{3})?", refusal.rule)


def test_codes_are_unique_within_a_service():
    shared_codes = [(cls.__name__) for cls in REFUSALS if cls.__module__.startswith("shared.")]
    for service in {
        cls.__module__.split(".")[1] for cls in REFUSALS if cls.__module__.startswith("services.")
    }:
        own = [cls.__name__ for cls in REFUSALS if cls.__module__.startswith(f"services.{service}.")]
        assert [code for code, times in Counter(own + shared_codes).items() if times > 1] == []


class DoorIsShut(DomainError):
    """门已关；请按铃。

    The door is shut; ring
    the bell.
    """

    rule = "R001"
    field = "door"


def test_a_problem_is_the_docstring_taken_apart():
    assert DoorIsShut().problem() == {
        "code": "DoorIsShut",
        "field": "door",
        "rule": "R001",
        "zh": "门已关；请按铃。",
        "en": "The door is shut; ring the bell.",
    }
    assert str(DoorIsShut()) == "DoorIsShut [door R001]: 门已关；请按铃。 The door is shut; ring the bell."


def test_the_one_who_raises_may_name_the_field_and_add_a_sentence():
    problem = InvalidInput("seat", zh="须为整数。", en="It must be a whole number.").problem()
    assert problem["field"] == "seat"
    assert problem["zh"].endswith("须为整数。")
    assert problem["en"].endswith("It must be a whole number.")


def test_a_refusal_carries_only_text_and_whole_seconds_to_wait():
    for cls in REFUSALS:
        problem = cls().problem()
        assert isinstance(problem.pop("retry_after", 0), int)
        assert all(isinstance(value, str) for value in problem.values())
