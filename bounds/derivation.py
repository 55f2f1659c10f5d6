"""A derivation: the chain of inequalities that proves a bound, as data.

    true quantity  <=  s_1  <=  s_2  <=  ...  <=  stated bound

Each link names the next expression and what justifies it: the key of a claim of the catalogue, or words
("Young, factor 2"). Every link is itself a `Claim` under the setup and the assumptions of the derivation, so
it is checked like one. A link may branch: `Split` bounds a sum part by part (triangle inequality, chain
rule), `Cases` proves one inequality under each of several assumptions that leave no gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sympy as sp

from bounds.claim import Claim, _free
from bounds.errors import ClaimError
from bounds.formula import parse
from bounds.frozen import FrozenMapping
from bounds.models import MODELS
from bounds.notation import NOTATION
from bounds.setup import Setup

__all__ = ["Cases", "Derivation", "Link", "Split", "by", "check_lemmas"]

Formula = Any


def by(words: str) -> str:
    """A justification in words, where no claim of the catalogue says it.

    >>> by("Young, factor 2")
    'by Young, factor 2'
    """
    if not isinstance(words, str) or not words.strip():
        raise ClaimError("by", words, "a justification in words, such as 'Young, factor 2'")
    return f"by {words}"


@dataclass(frozen=True)
class Link:
    """The previous expression is at most (or equal to) ``to``.

    name     : unique in its chain.
    to       : the next expression: formula text, an expression, or named terms.
    by       : the lemma: a key of the catalogue, or ``by("...")``.
    relation : "<=" or "==".
    """

    name: str
    to: Formula
    by: str
    relation: str = "<="

    def __post_init__(self) -> None:
        _check_words(self)


@dataclass(frozen=True)
class Split:
    """The previous expression is at most the sum of parts, each of which has a chain of its own.

    parts : {name: (expression, links)}; a part without links stays as it is.
    """

    name: str
    parts: Mapping[str, tuple[Formula, tuple[Link, ...]]]
    by: str
    relation: str = "<="

    def __post_init__(self) -> None:
        _check_words(self)
        what = "{name: (expression, links), ...}, such as {'score': (T*eps**2, ())}"
        if not isinstance(self.parts, Mapping):
            raise ClaimError(f"link {self.name}: parts", self.parts, what)
        for name, part in self.parts.items():
            if not (isinstance(part, tuple) and len(part) == 2 and isinstance(part[1], tuple)):
                raise ClaimError(f"link {self.name}, part {name}", part, what)
            _check_steps(f"link {self.name}, part {name}", part[1], (Link,))


@dataclass(frozen=True)
class Cases:
    """The previous expression is at most ``to``, by another chain under each assumption.

    cases : {assumption: links}, all of which end in ``to``.
    """

    name: str
    to: Formula
    cases: Mapping[str, tuple[Link, ...]]

    def __post_init__(self) -> None:
        _check_words(self)
        if not isinstance(self.cases, Mapping) or not self.cases:
            what = "{assumption: links, ...}, such as {'a >= 0': (Link(...),), 'a <= 0': (Link(...),)}"
            raise ClaimError(f"link {self.name}: cases", self.cases, what)
        for assumption, links in self.cases.items():
            place = f"link {self.name}, case {assumption}"
            _check_steps(place, links, (Link,))
            if not links:
                raise ClaimError(place, (), "at least one link")


Step = Link | Split | Cases


def _check_words(step: Step) -> None:
    """The name and the justification are words."""
    for what in ("name", "by"):
        value = getattr(step, what, "")
        if not isinstance(value, str):
            place = "link" if what == "name" else f"link {step.name}"
            raise ClaimError(f"{place}: {what}", value, "text")


def _check_steps(place: str, steps: Any, kinds: tuple[type, ...]) -> None:
    """A tuple (or list) of links, and of nothing else."""
    names = " or ".join(kind.__name__ for kind in kinds)
    if not isinstance(steps, tuple | list):
        raise ClaimError(place, steps, f"a tuple of {names}: one is written ({names.split()[0]}(...),)")
    for step in steps:
        if not isinstance(step, kinds):
            raise ClaimError(place, step, f"{names}, such as Link('name', 'T*eps**2', by('...'))")


@dataclass(frozen=True)
class Derivation:
    """A proof of one inequality, link by link.

    key      : "paper/name"; the claims of the links are ``key/1-name``, ``key/2-name``, ...
    start    : the true quantity.
    steps    : links, splits and cases, in order.
    proves   : key of the claim whose left side is the start and whose right side is the end, or "".
    about    : key of a claim that it bears on without ending in its bound (explicit constants, say), or "".
    assuming : as in `Claim`, for every link.
    """

    key: str
    start: Formula
    steps: tuple[Step, ...]
    setup: Setup
    title: str = ""
    proves: str = ""
    about: str = ""
    assuming: tuple[Any, ...] = ()
    claims: tuple[Claim, ...] = field(init=False, compare=False, repr=False)
    lemmas: Mapping[str, str] = field(init=False, compare=False, repr=False)
    last: sp.Expr = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        parts = self.key.split("/") if isinstance(self.key, str) else []
        if len(parts) != 2 or not all(parts):
            raise ClaimError("key", self.key, "'paper/name', such as 'my-note/thm-1'")
        _check_steps(f"{self.key}: steps", self.steps, (Link, Split, Cases))
        put(self, "steps", tuple(self.steps))
        put(self, "assuming", (self.assuming,) if isinstance(self.assuming, str) else tuple(self.assuming))
        if not isinstance(self.setup, Setup):
            raise ClaimError(f"{self.key}: setup", self.setup, "a Setup, such as Setup(clock='unit')")
        if not self.steps:
            raise ClaimError(f"{self.key}: steps", (), "at least one link")
        chain = _Chain(self)
        start = chain.expression("start", self.start)
        put(self, "last", chain.follow(start, self.steps, "", self.assuming, ()))
        put(self, "claims", tuple(chain.claims))
        put(self, "lemmas", FrozenMapping(chain.lemmas))

    @property
    def first(self) -> sp.Expr:
        """The true quantity."""
        return self.claims[0].lhs

    @property
    def spine(self) -> tuple[tuple[str, sp.Expr], ...]:
        """The expressions of the main chain, by the name of the step that reaches each."""
        chain = _Chain(self)
        names = [("start", chain.expression("start", self.start))]
        for number, step in enumerate(self.steps, 1):
            names.append((f"{number}-{step.name}", chain.end_of(step, f"{number}-{step.name}")))
        return tuple(names)

    @property
    def whole(self) -> Claim:
        """The start against the end, as one claim."""
        return Claim(
            key=f"{self.key}/whole",
            lhs=self.first,
            terms={"bound": self.last},
            assuming=self.assuming,
            setup=self.setup,
        )

    def but(self, place: str, to: Formula) -> Derivation:
        """The derivation with another expression in one place: the label or the plain name of a link, or
        "split.part" (for planting errors).
        """
        steps = _replaced(self.steps, "", place, to)
        if steps == self.steps:
            raise ClaimError(f"{self.key}: link", place, f"one of {', '.join(self.places)}")
        return replace(self, steps=steps, proves="", about="")

    @property
    def places(self) -> tuple[str, ...]:
        """Where an expression stands, in order: labels of links and case splits, and "split.part"."""
        return tuple(_places(self.steps, ""))

    def at(self, place: str) -> sp.Expr:
        """The expression that stands in one of the `places`."""
        return _Chain(self).expression(f"link {place}", _places(self.steps, "")[place])

    def claim(self, name: str) -> Claim:
        """The claim of the link of that label."""
        return self.claims[self.names.index(name)]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the links, in order."""
        return tuple(claim.key.removeprefix(f"{self.key}/") for claim in self.claims)


def _places(steps: tuple[Step, ...], prefix: str) -> dict[str, Formula]:
    """The expressions of a chain by the place where they stand."""
    found: dict[str, Formula] = {}
    for number, step in enumerate(steps, 1):
        label = f"{prefix}{number}-{step.name}"
        if isinstance(step, Split):
            for part, (start, links) in step.parts.items():
                found[f"{label}.{part}"] = start
                found |= _places(links, f"{label}.{part}.")
            continue
        if isinstance(step, Cases):
            for place, links in enumerate(step.cases.values(), 1):
                found |= _places(links[:-1], f"{label}.case{place}.")
        found[label] = step.to
    return found


def _replaced(steps: tuple[Any, ...], prefix: str, place: str, to: Formula) -> tuple[Any, ...]:
    """The chain with another expression in one place, named by its label or without the numbers."""
    found: list[Any] = []
    for number, step in enumerate(steps, 1):
        label = f"{prefix}{number}-{step.name}"
        here = place in (label, step.name)
        if isinstance(step, Split):
            parts = {
                part: (
                    to if place in (f"{label}.{part}", f"{step.name}.{part}") else start,
                    _replaced(links, f"{label}.{part}.", place, to),
                )
                for part, (start, links) in step.parts.items()
            }
            found.append(step if parts == dict(step.parts) else replace(step, parts=parts))
        elif isinstance(step, Cases):
            cases = {
                case: (*links[:-1], replace(links[-1], to=to))
                if here
                else (*_replaced(links[:-1], f"{label}.case{number}.", place, to), *links[-1:])
                for number, (case, links) in enumerate(step.cases.items(), 1)
            }
            end = to if here else step.to
            found.append(step if cases == dict(step.cases) else replace(step, to=end, cases=cases))
        else:
            found.append(replace(step, to=to) if here else step)
    return tuple(found)


class _Chain:
    """Walks the steps and collects the claim of every link."""

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self.claims: list[Claim] = []
        self.lemmas: dict[str, str] = {}

    def expression(self, place: str, value: Formula) -> sp.Expr:
        """The expression of a formula; errors name the link."""
        field = f"{self.derivation.key}: {place}"
        if isinstance(value, Mapping):
            return sp.Add(*(self.expression(f"{place}, {name}", term) for name, term in value.items()))
        if isinstance(value, str):
            return parse(value, field=field, parameters=frozenset(self.derivation.setup.names))
        try:
            found = sp.sympify(value, strict=True)
        except (sp.SympifyError, TypeError) as error:
            raise ClaimError(field, value, "an expression") from error
        if not isinstance(found, sp.Expr):
            raise ClaimError(field, value, "an expression, not a relation")
        if found.has(sp.I):
            raise ClaimError(field, value, "a real expression")
        return found

    def follow(
        self,
        start: sp.Expr,
        steps: tuple[Step, ...],
        prefix: str,
        assuming: tuple[Any, ...],
        before: tuple[sp.Expr, ...],
    ) -> sp.Expr:
        """The last expression of a chain; adds the claims of its links."""
        current, passed = start, [*before, start]
        seen: set[str] = set()
        for number, step in enumerate(steps, 1):
            label = f"{prefix}{number}-{step.name}"
            if not step.name or any(c.isspace() or c in "/." for c in step.name) or step.name in seen:
                raise ClaimError(
                    f"{self.derivation.key}: link {label}",
                    step.name,
                    "a name without blanks, dots and slashes, once in its chain",
                )
            seen.add(step.name)
            following = self._step(current, step, label, assuming, tuple(passed))
            if any(following == earlier for earlier in passed):
                raise ClaimError(
                    f"{self.derivation.key}: link {label}",
                    sp.sstr(following),
                    "an expression that the chain has not passed already",
                )
            passed.append(following)
            current = following
        self._check_symbols(start, steps, prefix)
        return current

    def _step(
        self, current: sp.Expr, step: Step, label: str, assuming: tuple[Any, ...], passed: tuple[sp.Expr, ...]
    ) -> sp.Expr:
        if isinstance(step, Link):
            following = self.end_of(step, label)
            self._claim(label, current, self._terms(step.to, following, label), step, assuming)
            return following
        if isinstance(step, Split):
            parts = {
                name: self.expression(f"link {label}, part {name}", part)
                for name, (part, _) in step.parts.items()
            }
            self._claim(label, current, parts, step, assuming)
            return sp.Add(
                *(
                    self.follow(parts[name], links, f"{label}.{name}.", assuming, ())
                    if links
                    else parts[name]
                    for name, (_, links) in step.parts.items()
                )
            )
        following = self.end_of(step, label)
        for place, (assumption, links) in enumerate(step.cases.items(), 1):
            end = self.follow(current, links, f"{label}.case{place}.", (*assuming, assumption), passed[:-1])
            if end != following:
                raise ClaimError(
                    f"{self.derivation.key}: link {label}, case {assumption}",
                    sp.sstr(end),
                    f"a chain that ends in {sp.sstr(following)}",
                )
        return following

    def end_of(self, step: Step, label: str) -> sp.Expr:
        """The expression that a step reaches."""
        if not isinstance(step, Split):
            return self.expression(f"link {label}", step.to)
        ends = []
        for name, (part, links) in step.parts.items():
            last = links[-1].to if links else part
            ends.append(self.expression(f"link {label}.{name}", last))
        return sp.Add(*ends)

    def _terms(self, to: Formula, following: sp.Expr, label: str) -> Mapping[str, sp.Expr]:
        if isinstance(to, Mapping):
            return {name: self.expression(f"link {label}, {name}", term) for name, term in to.items()}
        return {"bound": following}

    def _claim(
        self,
        label: str,
        lhs: sp.Expr,
        terms: Mapping[str, sp.Expr],
        step: Link | Split,
        assuming: tuple[Any, ...],
    ) -> None:
        key = f"{self.derivation.key}/{label}"
        if step.relation not in ("<=", "=="):  # the chain goes up
            raise ClaimError(f"{self.derivation.key}: link {label}: relation", step.relation, "'<=' or '=='")
        try:
            claim = Claim(
                key=key,
                title=f"{self.derivation.title}: {step.name}" if self.derivation.title else step.name,
                lhs=lhs,
                terms=terms,
                relation=step.relation,
                assuming=assuming,
                setup=self.derivation.setup,
                note=step.by,
            )
        except ClaimError as error:
            raise ClaimError(
                f"{self.derivation.key}: link {label}: {error.field}", error.value, error.expected
            ) from error
        if not step.by.strip():
            raise ClaimError(
                f"{self.derivation.key}: link {label}: by", step.by, "a key of the catalogue, or by('...')"
            )
        self.lemmas[key] = step.by
        self.claims.append(claim)

    def _check_symbols(self, start: sp.Expr, steps: tuple[Step, ...], prefix: str) -> None:
        """A parameter that comes with one expression and goes with the next is a slip."""
        labels = [f"{prefix}{number}-{step.name}" for number, step in enumerate(steps, 1)]
        chain = [start, *(self.end_of(step, label) for step, label in zip(steps, labels, strict=True))]
        for place, label in enumerate(labels, 1):
            near = [chain[place - 1], *chain[place + 1 : place + 2]]
            step = steps[place - 1]
            if isinstance(step, Split):  # the parts' own chains lie between
                near += [
                    self.expression(f"link {label}", part) for part, links in step.parts.values() if links
                ]
            around = {name for expr in near for name in _names(expr)}
            for name in sorted(_names(chain[place]) - around - self._constants()):
                raise ClaimError(
                    f"{self.derivation.key}: link {label}",
                    name,
                    f"symbols that a neighbour has too: {', '.join(sorted(around)) or 'none'}",
                )

    def _constants(self) -> set[str]:
        """Symbols that any link may bring in: constants of the law, of the grid and of the sampler, and
        everything that a model has.
        """
        measured = {name for name, entry in NOTATION.items() if entry.role == "measured"}
        sampled = {"a", "t"} if self.derivation.setup.sampler in ("ou-flow", "langevin") else set()
        model = MODELS.get(self.derivation.setup.model)
        own = set(model.names) if model else set()
        return measured | sampled | own | {"d", "T", "N", "delta"}


def _names(expr: sp.Basic) -> set[str]:
    return {s.name for s in _free(expr)}


# -- lemmas --------------------------------------------------------------------------------------------------


def check_lemmas(derivations: tuple[Derivation, ...]) -> None:
    """Every lemma that is a key must be in the catalogue, and no proof may rest on itself.

    Raises ClaimError naming the link.
    """
    from bounds.catalogue import find

    for derivation in derivations:
        for key, lemma in derivation.lemmas.items():
            if not lemma.startswith("by "):
                try:
                    find(lemma)
                except ClaimError as error:
                    raise ClaimError(f"{key}: by", lemma, error.expected) from error
        for what, key in (("proves", derivation.proves), ("about", derivation.about)):
            try:
                claim = find(key) if key else None
            except ClaimError as error:
                raise ClaimError(f"{derivation.key}: {what}", key, error.expected) from error
            if claim is not None and what == "proves":
                _matches(derivation, claim)
    rests = {
        derivation.proves: {lemma for lemma in derivation.lemmas.values() if not lemma.startswith("by ")}
        for derivation in derivations
        if derivation.proves
    }
    for derivation in derivations:
        if derivation.proves:
            circle = _circle(derivation.proves, rests)
            if circle:
                link = next(key for key, lemma in derivation.lemmas.items() if lemma == circle[1])
                raise ClaimError(f"{link}: by", " -> ".join(circle), "lemmas that do not rest on the claim")


def _matches(derivation: Derivation, claim: Claim) -> None:
    for place, found, stated in (("start", derivation.first, claim.lhs), ("end", derivation.last, claim.rhs)):
        if found != stated and sp.simplify(found - stated) != 0:
            raise ClaimError(
                f"{derivation.key}: {place}", sp.sstr(found), f"{sp.sstr(stated)}, as in {claim.key}"
            )


def _circle(key: str, rests: Mapping[str, set[str]]) -> tuple[str, ...]:
    """A circle of claims through ``key``, or nothing."""

    def walk(path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for lemma in sorted(rests.get(path[-1], ())):
            if lemma == key:
                yield (*path, lemma)
            elif lemma not in path:
                yield from walk((*path, lemma))

    return next(walk((key,)), ())
