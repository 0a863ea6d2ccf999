"""The page, the Markdown and the terminal's table: whole, safe, and nothing from outside."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from proofs_check import notation, readable
from proofs_check.counterexamples import witness_of
from proofs_check.drawing import span, ticks
from proofs_check.figures import figure
from proofs_check.mathml import FormulaError, formula
from proofs_check.page import markdown, page, table_header, table_line
from proofs_check.row import Head, MutantRow, ProofRow, Row, StepRow, SymbolRow
from proofs_check.values import encoded_instance
from theory.claim import Claim, Finding, Ruling, Status
from theory.proof import Proof, Rule
from theory.registry import CLAIMS

HEAD = Head(0, "quick", 61.5, date="2026-01-01", versions={"python": "3.11", "numpy": "2.0"}, machine="2 cores")
HOSTILE = """<script>alert(1)</script>"'&<img src=x onerror=alert(1)>|`$`"""
VOID = {"meta", "link", "wbr", "br", "input", "img"}


def proof_row(proof: Proof | None) -> ProofRow | None:
    """Return a proof as the ledger's rows have it, every step that is not cited taken as decided."""
    if proof is None:
        return None
    steps = (
        StepRow(
            step.rule.value,
            notation.latex(step.before),
            notation.latex(step.after),
            "" if step.rule is Rule.CITED else "=" if step.rule is Rule.IDENTITY else ">=",
            step.because,
            decided=step.rule is not Rule.CITED,
            cited=step.rule is Rule.CITED,
        )
        for step in proof.steps
    )
    return ProofRow(proof.covers, tuple(steps))


def row_of(claim: Claim) -> Row:
    """Return a row with what the registry says of a claim, and made-up evidence."""
    shows = witness_of(claim)
    witness = claim.evaluate(shows) if shows else None
    refuted = witness is not None and witness.ruling is Ruling.VIOLATED
    seen = claim.sides is not None
    mutants = (
        MutantRow("the constant 1% too strong", "constant", because="", by="drawn", outcome="caught"),
        MutantRow("strict", "strict", because="never attained", by="", outcome="equivalent"),
    )
    proved = Status.PROVED if claim.proof else Status.TESTED if seen else Status.CONJECTURED
    return Row(
        id=claim.id,
        source=str(claim.source),
        paper=claim.source.paper.key,
        title=f"{claim.source.paper.authors}. {claim.source.paper.title}",
        locator=claim.source.locator,
        amends=claim.amends,
        form=claim.form,
        finding=claim.finding,
        status=Status.REFUTED if refuted else proved,
        status_without_coq=Status.REFUTED if refuted else proved,
        statement=claim.statement,
        note=claim.note,
        assumptions=tuple(assumption.name for assumption in claim.assumptions),
        symbols=tuple(SymbolRow(s.name, s.latex, s.meaning) for s in claim.symbols),
        holds=250 * seen,
        violated=0,
        inconclusive=2 * seen,
        inapplicable=60 * seen,
        origins={"named": 2 * seen, "trained": 30 * seen, "drawn": 200 * seen, "varied": 80 * seen},
        found_by="",
        counterexample=None,
        oracle_checked=0,
        slack=0.0 if claim.extremal else None,
        slack_instance=encoded_instance(claim.extremal) if claim.extremal else None,
        lhs="1/2" if claim.extremal else None,
        rhs="1/2" if claim.extremal else None,
        witness=encoded_instance(shows) if shows else None,
        witness_ruling=witness.ruling if witness else None,
        witness_lhs=str(witness.lhs.midpoint) if witness and witness.lhs else None,
        witness_rhs=str(witness.rhs.midpoint) if witness and witness.rhs else None,
        witness_slack=witness.slack if witness else None,
        confirmed="rational arithmetic" if refuted else "",
        extremal=encoded_instance(claim.extremal) if claim.extremal else None,
        no_extremal=claim.no_extremal,
        proof=proof_row(claim.proof()) if claim.proof else None,
        small=proof_row(claim.small()) if claim.small else None,
        theorems=(),
        mutants=mutants if seen and not refuted else (),
        import_line=f"from {claim.bound.__module__} import {claim.bound.__name__}" if claim.bound else "",
        bound_checked=20 if claim.bound else 0,
        study=claim.study,
        seconds=1.0,
        quote=claim.quote,
        reading=claim.reading,
    )


@cache
def rows() -> tuple[Row, ...]:
    return tuple(row_of(claim) for claim in CLAIMS.values())


@cache
def whole_page() -> str:
    return page(rows(), HEAD)


class Reader(HTMLParser):
    """Collects what a page refers to, and complains of elements that do not close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.handlers: list[str] = []
        self.labels: list[str | None] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "a":
            self.links.append(str(found.get("href")))
        elif found.get("href"):
            self.loads.append(str(found["href"]))
        self.loads += [str(found[name]) for name in ("src", "srcset", "action", "data", "xlink:href") if name in found]
        self.handlers += [name for name in found if name.startswith("on")]
        if tag == "svg":
            self.labels.append(found.get("aria-label"))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag, f"</{tag}> closes another element"


def read(html: str) -> Reader:
    """Return what a page holds, every element closed where it was opened."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open
    return reader


def formulas() -> Iterator[tuple[str, str]]:
    """Yield every formula of the registry with the id of its claim."""
    for row in rows():
        yield row.id, row.statement
        yield from ((row.id, symbol.latex) for symbol in row.symbols if symbol.latex)
        for proof in (row.proof, row.small):
            for step in proof.steps if proof else ():
                yield from ((row.id, side) for side in (step.before, step.after))


def test_every_formula_of_the_registry_is_set() -> None:
    for id, latex in formulas():
        html = formula(latex)
        assert "<math>" in html or r"\text" in latex, id
        assert "\\" not in html, f"{id}: {latex}"
    assert 'class="unset"' not in whole_page()


@pytest.mark.parametrize(
    "latex",
    [r"\nosuchmacro x", r"\frac{a}", r"\left( a", "a_b_c", "a & b", "}", "{", r"\text a", r"\text{a b", r"\sum_{i"],
)
def test_a_formula_that_cannot_be_set_is_refused_and_shown_as_it_is(latex: str) -> None:
    with pytest.raises(FormulaError):
        formula(latex)
    html = page([replace(rows()[0], statement=latex)], HEAD)
    assert f'<code class="unset">{latex.replace("&", "&amp;")}</code>' in html


def test_lines_break_before_relations_outside_brackets_only() -> None:
    assert formula("a = b").count("<math>") == 2
    assert formula("(a = b)").count("<math>") == 1
    assert formula(r"\min\{a, b\} - c").count("<math>") == 2
    assert formula("-a").count("<math>") == 1
    assert formula("g(x-)").count("<math>") == 1
    assert formula("u_+ v").count("<math>") == 1
    assert formula(r"|a + b|").count("<math>") == 1
    assert formula("(a = b").count("<math>") == 1


def test_words_between_formulas_are_text_of_the_page() -> None:
    assert formula(r"\text{not } \varepsilon \text{ stable <b>}").startswith("not <wbr><math>")
    assert formula(r"\text{not } \varepsilon \text{ stable <b>}").endswith(" stable &lt;b&gt;")
    assert "<mtext>knots</mtext>" in formula(r"\text{knots}(f)")


def test_letters_of_another_style_are_characters_of_their_own() -> None:
    for latex, letter in ((r"\mathbb E", "𝔼"), (r"\mathbb R", "ℝ"), (r"\mathcal L", "ℒ"), (r"\mathbf A", "𝐀")):
        assert letter in formula(latex)
        assert "mathvariant" not in formula(latex)


def test_the_page_needs_nothing_from_outside() -> None:
    html = whole_page()
    reader = read(html)
    assert reader.loads == ["data:,"]
    assert not reader.handlers
    assert all(link.startswith("#") for link in reader.links)
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|https?://", html)
    assert reader.tags.count("script") == 1


def test_every_claim_has_a_section_and_every_link_leads_somewhere() -> None:
    reader = read(whole_page())
    assert len(reader.ids) == len(set(reader.ids))
    assert set(CLAIMS) <= set(reader.ids)
    assert {link[1:] for link in reader.links} <= set(reader.ids)
    assert all(reader.labels)


def test_a_page_of_some_claims_links_to_no_other() -> None:
    html = page([row for row in rows() if row.id == "M1.a"], HEAD)
    reader = read(html)
    assert {link[1:] for link in reader.links} <= set(reader.ids)
    assert "amends" in html


def test_hostile_text_is_shown_and_not_run() -> None:
    texts = (
        "note",
        "quote",
        "reading",
        "source",
        "locator",
        "title",
        "no_extremal",
        "import_line",
        "confirmed",
        "rows_missing",
    )
    sides = ("witness_lhs", "witness_rhs")
    step = StepRow(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, decided=False, cited=False, why=HOSTILE)
    row = replace(
        row_of(CLAIMS["M6"]),
        **dict.fromkeys((*texts, *sides), HOSTILE),
        problems=(HOSTILE,),
        assumptions=(HOSTILE,),
        statement=r"\text{" + HOSTILE.replace("`$`", "") + " x}",
        symbols=(SymbolRow(HOSTILE, HOSTILE, HOSTILE),),
        witness={"origin": HOSTILE, "given": {HOSTILE: {"text": HOSTILE}, "odd": {HOSTILE: [HOSTILE]}}},
        mutants=(MutantRow(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        rewritings=(MutantRow(HOSTILE, HOSTILE, HOSTILE, HOSTILE, "survives"),),
        proof=ProofRow(HOSTILE, (step,)),
    )
    html = page([row], replace(HEAD, machine=HOSTILE, versions={HOSTILE: HOSTILE}))
    reader = read(html)
    assert reader.tags.count("script") == 1
    assert "img" not in reader.tags
    assert not reader.handlers
    assert "alert(1)&lt;/script&gt;" in html
    text = markdown([row])
    assert not re.search(r"(?<!\\)<script", text.replace(row.statement, ""))
    harmless = replace(row_of(CLAIMS["M6"]), rewritings=(MutantRow("m", "k", "", "", "survives"),))
    assert len(text.splitlines()) == len(markdown([harmless]).splitlines())


def test_changes_of_the_source_stand_apart_and_survivors_are_named() -> None:
    outcomes = ("caught", "caught", "survives", "weaker", "equal", "void", "spared")
    changes = tuple(MutantRow(f"change {i}", "k", "", "", outcome) for i, outcome in enumerate(outcomes))
    row = replace(row_of(CLAIMS["M6"]), rewritings=changes, rewritings_left=13)
    assert "1/1 + 2/3" in table_line(row)
    words = markdown([row])
    assert "7 of 20 tried, 2 of 3 that say more than the claim somewhere refuted" in words
    assert "Changes of its source in one place: 7, a seeded sample of 20, tried; 2 refuted" in words
    assert "Not refuted: change 2." in words
    html = page([row], HEAD)
    assert all(f"change {i}" in html for i in range(7))
    assert "2 of 3 that say more are refuted" in html


def test_lines_of_the_table_are_aligned_and_fit_the_terminal() -> None:
    lines = [table_header(), *(table_line(row) for row in rows())]
    assert all(len(line) <= 130 for line in lines)
    starts = [table_header().index(name) for name in ("source", "finding", "status", "instances")]
    for line in lines[1:]:
        assert all(line[start - 1] == " " and line[start] != " " for start in starts)
    long = replace(
        rows()[0],
        source="s" * 99,
        holds=0,
        inapplicable=10**6,
        slack=-1.23456e-100,
        slack_instance={"origin": "drawn: seed 7", "given": {}},
        status=Status.MACHINE_CHECKED,
        finding=Finding.NEEDS_ASSUMPTION,
        mutants=(MutantRow("m", "k", because="", by="drawn", outcome="caught"),) * 1000,
    )
    assert len(table_line(long)) <= 130
    assert "-1.23e-100 drawn" in table_line(long)


def test_the_markdown_has_a_line_and_a_section_for_every_claim() -> None:
    text = markdown(rows())
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert len([line for line in table if not line.startswith("| claim ")]) == len(CLAIMS)
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 7 for line in table)
    headings = re.findall(r"^## (.+)$", text, flags=re.M)
    assert headings == list(CLAIMS)
    anchors = {heading.lower().replace(".", "") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors
    assert len(anchors) == len(headings)
    assert all(f"$`{row.statement}`$" in text for row in rows())


def ids_in(table: str) -> list[str]:
    return re.findall(r"^\| \[([^\]]+)\]\(#", table, flags=re.MULTILINE)


def test_conjectures_of_ours_that_fell_have_a_table_of_their_own() -> None:
    fell = [id for id, claim in CLAIMS.items() if claim.finding is Finding.CONJECTURE]
    first, second = markdown(rows()).split("**Our conjectures, refuted.**")
    assert ids_in(first) == [id for id in CLAIMS if id not in fell]
    assert ids_in(second) == fell
    assert "our conjecture" not in first
    tables = re.findall(r'<table class="ledger">.*?</table>', whole_page(), flags=re.DOTALL)
    assert [re.findall(r'<tr data-for="([^"]+)"', table) for table in tables] == [
        [id for id in CLAIMS if id not in fell],
        fell,
    ]
    whole = [row for row in rows() if not row.fell]
    assert "Our conjectures" not in markdown(whole)
    assert "Our conjectures" not in page(whole, HEAD)


def test_a_finding_is_shown_with_its_words_and_their_reading() -> None:
    for row in (row for row in rows() if row.finding.on_print):
        words = f"The words: “{row.quote.rstrip('.')}”. How they are read: {row.reading}"
        assert words in markdown([row]).replace("\\", "")
        assert words in unescape(page([row], HEAD))


def test_a_proof_says_for_which_sizes_it_is_and_on_how_many_instances_it_is_one_of_the_claim() -> None:
    step = StepRow("polynomial", "a", "b", ">=", "", decided=True, cited=False, sizes="d = 2")
    row = replace(row_of(CLAIMS["M6"]), proof=ProofRow("two", (step, step), covered=3, uncovered=1))
    assert "proof: 2 steps decided, for d = 2 only" in markdown([row])
    html = page([row], HEAD)
    assert html.count("for d = 2 only") == 2
    assert "the claim&#39;s on 3 instances; 1 instance more of sizes that it does not speak of." in html
    whole = replace(row, proof=ProofRow("all", (replace(step, sizes=""),)))
    assert "only" not in page([whole], HEAD).split("Covers: all")[1].split("</details>")[0]


def test_the_markdown_leads_to_what_is_not_claimed() -> None:
    assert "[what is not claimed](not_claimed.md)" in markdown(rows())


def test_the_markdown_says_nothing_of_the_run() -> None:
    other = [replace(row, seconds=9.0, holds=4, inapplicable=3, slack=0.25, lhs="2") for row in rows()]
    assert markdown(other) == markdown(rows())


@pytest.mark.parametrize("id", ["B1", "V5", "V7", "V8", "V9", "M3", "M5", "M6", "M10", "W2", "W2.b"])
def test_claims_that_need_a_figure_have_one(id: str) -> None:
    drawn = figure(row_of(CLAIMS[id]))
    assert drawn is not None
    assert "nan" not in drawn.svg
    assert "inf" not in drawn.svg
    assert drawn.caption.endswith(".")
    read(drawn.svg)


def test_instances_that_cannot_be_drawn_have_no_figure() -> None:
    row = replace(row_of(CLAIMS["M6"]), extremal=None, slack_instance=None)
    assert row.witness is not None
    given = row.witness["given"]
    for x in ({"array": [{"rational": str(10**300)}]}, {"array": "x"}, {"array": [{"int": 1}, {"int": 1}]}):
        assert figure(replace(row, witness={"origin": "", "given": given | {"x": x}})) is None or x == {"array": "x"}
    assert figure(replace(row, witness={"origin": "", "given": {"weights": {"weights": {"w1": 3}}}})) is None
    pieces = {"tuple": [{"tuple": [{"text": "__import__('os')"}, {"int": 0}, {"int": 1}]}]}
    assert figure(replace(row, witness={"origin": "", "given": {"pieces": pieces}})) is None


def test_values_are_readable() -> None:
    cases = [
        ({"rational": "3/4"}, "3/4"),
        ({"rational": "123456789012345/987654321098765"}, "≈ 0.125"),
        ({"float": "0x1.8p+0"}, "1.5"),
        ({"float": (1 / 3).hex()}, "0.333333"),
        ({"int": 3}, "3"),
        ({"truth": True}, "true"),
        ({"word": "uniform"}, "uniform"),
        ({"array": [{"int": 1}, {"rational": "1/2"}]}, "(1, 1/2)"),
        ({"array": [[{"int": 1}], [{"int": 2}]]}, "[(1), (2)]"),
        ({"array": [{"int": i} for i in range(20)]}, "(0, 1, 2, 3, 4, …, 19; 20 in all)"),
        ({"tuple": [{"int": 0}, {"int": 1}]}, "(0, 1)"),
        ({"odd": [1]}, '{"odd":[1]}'),
        ({"rational": "x"}, '{"rational":"x"}'),
        (None, "null"),
    ]
    for code, text in cases:
        assert readable.value(code) == text
    assert len(readable.value({"odd": "x" * 999})) == readable.LONGEST_TEXT


def test_small_matrices_are_told_from_other_arrays() -> None:
    one, row = {"int": 1}, [{"int": 1}, {"int": 2}]
    assert readable.matrices({"array": [row, row]}) == [[["1", "2"], ["1", "2"]]]
    assert readable.matrices({"array": [[row], [row]]}) == [[["1", "2"]]] * 2
    others: list[Any] = [one, None, {"tuple": [one]}]
    others += [{"array": content} for content in (row, [], [[one] * 9], [row, [one]])]
    assert all(readable.matrices(other) is None for other in others)


def test_ticks_are_few_and_round() -> None:
    assert ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert ticks(-1.5, 1.5) == [-1, 0, 1]
    assert span([2], 0.1) == (1.5, 2.5)
    assert span([0, 1], 0.1) == (-0.1, 1.1)
