"""A record as JUnit XML: one test case a claim, for the dashboards that read it.

A claim that failed is a failure; one that is open is skipped with its reason, so that it never counts as
passed; one that could not be read is an error.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from reports import wording
from reports.places import where
from reports.record import Record, Results, number

__all__ = ["render"]

UNPRINTABLE = re.compile(
    "[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)  # what XML 1.0 cannot carry


def render(results: Results) -> str:
    """The XML document, as text."""
    claims, errors = results["claims"], results.get("errors", [])
    outcomes = [_outcome(claim) for claim in claims]
    seconds = sum(number(claim["seconds"]) for claim in claims)
    totals = {
        "name": "lesssim",
        "tests": str(len(claims) + len(errors)),
        "failures": str(outcomes.count("failure")),
        "errors": str(len(errors)),
        "skipped": str(outcomes.count("skipped")),
        "time": f"{seconds:.3f}",
    }
    root = ElementTree.Element("testsuites", totals)
    suite = ElementTree.SubElement(root, "testsuite", totals)
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in sorted(results["environment"].items()):
        ElementTree.SubElement(properties, "property", name=_clean(name), value=_clean(str(value)))
    for claim, outcome in zip(claims, outcomes, strict=True):
        _case(suite, claim, outcome)
    for error in errors:
        case = ElementTree.SubElement(
            suite, "testcase", classname=_clean(error["file"]), name=_clean(error["field"]), time="0.000"
        )
        ElementTree.SubElement(case, "error", message=_clean(error["message"]), type="ClaimError")
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _outcome(claim: Record) -> str:
    """``failure``, ``skipped`` (open: neither passed nor failed) or ``passed``."""
    return {"wrong": "failure", "open": "skipped", "met": "passed"}[wording.outcome(claim)]


def _case(suite: ElementTree.Element, claim: Record, outcome: str) -> None:
    paper = claim["key"].partition("/")[0]
    seconds = f"{number(claim['seconds']):.3f}"
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=_clean(paper),
        name=_clean(claim["key"]),
        file=_clean(claim["file"]),
        time=seconds,
    )
    facts = ElementTree.SubElement(case, "properties")
    for name, value in (
        ("verdict", claim["verdict"]),
        ("evidence", claim["evidence"]),
        ("worst ratio", wording.ratio(claim, 6)),
    ):
        ElementTree.SubElement(facts, "property", name=name, value=value)
    if outcome != "passed":
        message = f"{claim['verdict']}, {wording.expectation(claim)}: {claim['reason']}"
        node = ElementTree.SubElement(case, outcome, message=_clean(message))
        if outcome == "failure":
            node.set("type", claim["verdict"])
            node.text = _clean(_details(claim))
    if claim["witnesses"]:
        scripts = (f"# {witness['kind']} witness\n{witness['script']}" for witness in claim["witnesses"])
        ElementTree.SubElement(case, "system-out").text = _clean("\n\n".join(scripts))


def _details(claim: Record) -> str:
    lines = [claim["statement"]["text"]]
    if claim["worst"]:
        lines += [
            wording.against(claim["worst"]["lhs"], claim["worst"]["rhs"]),
            where(claim["worst"]["case"]),
        ]
    return "\n".join([*lines, wording.growth(claim), claim["next"]]).rstrip()


def _clean(text: str) -> str:
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
