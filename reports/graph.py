"""What rests on what: the claims whose proofs are data, drawn from their lemmas to what they prove.

A record carries the edges (``lemmas``), so the picture is a pure function of it. A proof is no stronger than
its lemmas: beside its own verdict each derived claim has the weakest verdict among everything it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import escape

from reports.drawing import drawing, printable, short
from reports.plots import anchor
from reports.record import Record, Results
from reports.vocabulary import VERDICTS

__all__ = ["ABSENT", "Row", "layers", "lemmas", "picture", "rows", "weakest"]

ABSENT = "not in this run"
"""Stands for the verdict of a lemma that was not judged."""
ORDER = (*[word for word in VERDICTS if word not in ("diverges", "refuted")], ABSENT, "diverges", "refuted")
"""Verdicts from the strongest support to the strongest objection."""
BOX, ACROSS, DOWN, MARGIN = (236.0, 38.0), 340.0, 50.0, 4.0
SWEEPS = 8  # of the ordering within layers
LETTERS = 33  # of a name that fit into a box

Edge = Mapping[str, Any]


class Row(NamedTuple):
    """A derived claim in words: its verdict, its lemmas with theirs, and the weakest of all it rests on."""

    key: str
    verdict: str
    lemmas: tuple[tuple[str, str], ...]
    weakest: str


def lemmas(claims: Iterable[Record]) -> list[dict[str, str]]:
    """The edges of a record: for each of its catalogue claims with a proof, the claims that the links cite.

    Each edge says from which lemma, to which claim, in which derivation and by which link.
    """
    wanted = {claim["key"] for claim in claims if claim["file"] == "catalogue"}
    if not wanted:
        return []
    from bounds.derivations import DERIVATIONS

    return [
        {
            "from": lemma,
            "to": derivation.proves,
            "derivation": derivation.key,
            "link": link.removeprefix(f"{derivation.key}/"),
        }
        for derivation in DERIVATIONS
        if derivation.proves in wanted
        for link, lemma in derivation.lemmas.items()
        if not lemma.startswith("by ")
    ]


def weakest(edges: Sequence[Edge], verdicts: Mapping[str, str]) -> dict[str, str]:
    """For each claim that has lemmas, the weakest verdict among all it rests on, near and far.

    >>> weakest([{"from": "a", "to": "b"}, {"from": "b", "to": "c"}], {"a": "refuted", "b": "holds"})
    {'b': 'refuted', 'c': 'refuted'}
    """
    under = _under(edges)
    found = {}
    for key in under:
        rests: set[str] = set()
        todo = [key]
        while todo:
            new = under.get(todo.pop(), set()) - rests
            rests |= new
            todo += new
        found[key] = max((verdicts.get(lemma, ABSENT) for lemma in rests), key=ORDER.index)
    return found


def rows(results: Results) -> list[Row]:
    """The derived claims in words, in the order of the record."""
    edges = results.get("lemmas", [])
    verdicts = {claim["key"]: claim["verdict"] for claim in results["claims"]}
    status, under = weakest(edges, verdicts), _under(edges)
    return [
        Row(
            key,
            verdicts.get(key, ABSENT),
            tuple((lemma, verdicts.get(lemma, ABSENT)) for lemma in sorted(under[key])),
            status[key],
        )
        for key in under
    ]


def _under(edges: Iterable[Edge]) -> dict[str, set[str]]:
    """The lemmas that each claim cites."""
    under: dict[str, set[str]] = {}
    for edge in edges:
        if edge["from"] != edge["to"]:
            under.setdefault(edge["to"], set()).add(edge["from"])
    return under


def layers(edges: Iterable[Edge]) -> list[list[str]]:
    """The claims in columns, each right of all its lemmas, ordered so that few edges cross.

    >>> layers([{"from": "a", "to": "b"}, {"from": "b", "to": "c"}, {"from": "a", "to": "c"}])
    [['a'], ['b'], ['c']]
    """
    under = _under(edges)
    names = sorted({*under, *(lemma for some in under.values() for lemma in some)})
    depth = dict.fromkeys(names, 0)
    for _ in names:  # a longest path has no more edges than there are claims; a circle ends here too
        deeper = {key: 1 + max(depth[lemma] for lemma in under[key]) for key in under}
        if all(depth[key] == deeper[key] for key in under):
            break
        depth |= {key: min(place, len(names)) for key, place in deeper.items()}
    columns = [[name for name in names if depth[name] == level] for level in sorted(set(depth.values()))]
    return _untangled(columns, under)


def _untangled(columns: list[list[str]], under: Mapping[str, set[str]]) -> list[list[str]]:
    """Each column sorted by the mean height of its neighbours, to and fro."""
    above: dict[str, set[str]] = {}
    for key, some in under.items():
        for lemma in some:
            above.setdefault(lemma, set()).add(key)
    for sweep in range(SWEEPS):
        near = above if sweep % 2 else under
        for place in range(len(columns))[:: -1 if sweep % 2 else 1]:
            heights = _heights(columns)

            def middle(key: str, heights: Mapping[str, float] = heights, near: Any = near) -> float:
                own = [heights[other] for other in near.get(key, ())] or [heights[key]]
                return sum(own) / len(own)

            columns[place] = sorted(columns[place], key=middle)
    return columns


def _heights(columns: Iterable[Sequence[str]]) -> dict[str, float]:
    """Where each claim stands in its column, the middle at 0."""
    return {key: place - (len(some) - 1) / 2 for some in columns for place, key in enumerate(some)}


def picture(results: Results) -> str:
    """The graph as SVG, lemmas left of what they prove; empty without edges."""
    edges = results.get("lemmas", [])
    columns = layers(edges)
    if not columns:
        return ""
    verdicts = {claim["key"]: claim["verdict"] for claim in results["claims"]}
    height = DOWN * max(map(len, columns)) - (DOWN - BOX[1]) + 2 * MARGIN
    width = ACROSS * (len(columns) - 1) + BOX[0] + 2 * MARGIN
    heights = _heights(columns)
    places = {
        key: (MARGIN + ACROSS * column, height / 2 + DOWN * heights[key])
        for column, some in enumerate(columns)
        for key in some
    }
    pairs = sorted({(edge["from"], edge["to"]) for edge in edges if edge["from"] != edge["to"]})
    status = weakest(edges, verdicts)
    parts = [_edge(places[lemma], places[key], verdicts.get(lemma, "absent")) for lemma, key in pairs]
    parts += [_node(key, places[key], verdicts.get(key), status.get(key, "")) for key in places]
    alt = f"{len(places)} claims and {len(pairs)} uses of one in the proof of another; the table has the same"
    return drawing(width, height, alt, "".join(parts))


def _edge(start: tuple[float, float], end: tuple[float, float], look: str) -> str:
    x, y = start[0] + BOX[0], start[1]
    bend = (end[0] - x) / 2
    path = f"M{short(x)} {short(y)}C{short(x + bend)} {short(y)} {short(end[0] - bend)} {short(end[1])} "
    return f'<path class="edge {look}" d="{path}{short(end[0] - 1)} {short(end[1])}"/>'


def _node(key: str, place: tuple[float, float], verdict: str | None, rests: str) -> str:
    """A box with the paper and the name; the link leads to the claim where the run has it."""
    (x, y), (wide, high) = place, BOX
    paper, _, name = key.partition("/")
    sign = VERDICTS[verdict].sign if verdict else "·"
    weaker = rests and ORDER.index(rests) > ORDER.index(verdict or ABSENT)
    says = f"{key}: {verdict or ABSENT}" + (f"; rests on a claim that is {rests}" if weaker else "")
    look = f"node {verdict or 'absent'}{' weaker' if weaker else ''}"
    left = short(x + 30)
    title = name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"
    body = (
        f"<title>{_text(says)}</title>"
        f'<rect x="{short(x)}" y="{short(y - high / 2)}" width="{wide:g}" height="{high:g}" rx="5"/>'
        f'<text class="sign" x="{short(x + 15)}" y="{short(y + 5)}">{sign}</text>'
        f'<text class="paper" x="{left}" y="{short(y - 4)}" text-anchor="start">{_text(paper)}</text>'
        f'<text x="{left}" y="{short(y + 11)}" text-anchor="start">{_text(title)}</text>'
    )
    return (
        f'<a class="{look}" href="#{anchor(key)}">{body}</a>' if verdict else f'<g class="{look}">{body}</g>'
    )


def _text(text: str) -> str:
    return str(escape(printable(text)))
