"""Measure the structure of the product: modules, imports, repeated code, names, docstrings, and files of a journey.

    python -m tools.house              print every figure
    python -m tools.house names        list the private words in names, with their places
    python -m tools.house importers    list the modules with exactly one importer

The product is every `.py` file in chaosqs/ and strategies/. Files that are empty or only have a docstring do not count
as modules.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from statistics import fmean, median

import attrs

from tools.journeys import JOURNEYS, PRODUCT, ROOT
from tools.net import EVENTS

LONG_FUNCTION = 40  # lines
LONG_MODULE = 600  # lines
REPEATED = 3
"""Minimum statements of equal code in two functions that counts as repeated."""

PRIVATE = (
    "luck nemesis strike agenda real_code stage performance fiber surroundings disguise worn stand_in crew gathering "
    "hosted succession door dialect law lattice opening panel sweep dial ladder crowd tipping guess guesses "
    "horizon patience promise told clause voice phrase prose villain bestiary court"
)
SHARED = (
    "site boundary place course escape line life ground part world control operation past front chain reached mark "
    "question answer leaf moment trial"
)
"""Words of private language that names should not have: first those without another meaning here, then those that also
have a plain meaning (a line of text, a number of trials), so that some of their uses may stay."""

RIDDLES = ("What", "Whether", "How", "Who")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@attrs.frozen(slots=False)
class Source:
    """A Python file."""

    path: str
    text: str = attrs.field(repr=False)

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text)

    @property
    def lines(self) -> int:
        """Number of lines."""
        return len(self.text.splitlines())

    @property
    def name(self) -> str:
        """Name by which the file is imported."""
        parts = self.path.removesuffix(".py").removesuffix("/__init__").split("/")
        return ".".join(parts if parts[0] == "chaosqs" else ["chaosqs", *parts])

    @property
    def package(self) -> str:
        """Name of its package."""
        return self.name if self.path.endswith("__init__.py") else self.name.rpartition(".")[0]

    @property
    def is_module(self) -> bool:
        """True unless the file is empty or only has a docstring."""
        return len(self.tree.body) > (ast.get_docstring(self.tree) is not None)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of the syntax tree: nearly every figure reads them."""
        return list(ast.walk(self.tree))

    @cached_property
    def functions(self) -> list[Function]:
        """All functions and methods, nested ones included."""
        return [node for node in self.nodes if isinstance(node, Function)]


def sources(homes: Iterable[Path] = PRODUCT) -> list[Source]:
    """Return the files of the product, in the order of their paths; linked files count once."""
    paths = {path.resolve() for home in homes for path in home.rglob("*.py")}
    names = sorted((path.relative_to(ROOT).as_posix(), path) for path in paths)
    return [Source(name, path.read_text(encoding="utf-8")) for name, path in names]


# Imports --------------------------------------------------------------------------------------------------------------


def import_lines(source: Source) -> int:
    """Count the lines of import statements, continuation lines and those inside functions included."""
    imports = [node for node in source.nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in imports)


def importers(files: Sequence[Source]) -> dict[str, set[str]]:
    """Return the importers of each module; imports within functions and for type checking count."""
    found: dict[str, set[str]] = {source.name: set() for source in files}
    for source in files:
        for name in _imported(source.nodes):
            target = name if name in found else name.rpartition(".")[0]
            if target in found and target != source.name:
                found[target].add(source.name)
    return found


def _imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def lone(files: Sequence[Source]) -> dict[str, str]:
    """Return the modules with exactly one importer, each with its importer."""
    imported, modules = importers(files), {source.name for source in files if source.is_module}
    return {name: next(iter(by)) for name, by in imported.items() if len(by) == 1 and name in modules}


def private(files: Sequence[Source]) -> dict[str, str]:
    """Return the lone modules that should be merged into their importer, which is in the same package.

    State machines (in packages `machine` or `machines`), invariants, and modules that the package's own `__init__`
    re-exports are not returned.
    """
    packages = {source.name: source.package for source in files}
    apart = {"machine", "machines", "invariants"}
    return {
        name: by
        for name, by in lone(files).items()
        if packages[name] == packages[by] != by and not apart & set(name.split(".")[:-1])
    }


# Functions, names and words -------------------------------------------------------------------------------------------


def long_functions(source: Source) -> list[str]:
    """Return the functions with more than `LONG_FUNCTION` lines, from `def` to the end."""
    return [
        f"{source.path}:{node.lineno} {node.name}"
        for node in source.functions
        if (node.end_lineno or node.lineno) - node.lineno + 1 > LONG_FUNCTION
    ]


def repeated(files: Iterable[Source]) -> list[list[str]]:
    """Return groups of functions with the same code, of at least three statements; docstrings are ignored."""
    groups: dict[str, list[str]] = {}
    for source in files:
        for node in source.functions:
            body = node.body[ast.get_docstring(node) is not None :]
            if sum(isinstance(inner, ast.stmt) for statement in body for inner in ast.walk(statement)) >= REPEATED:
                code = "\n".join(map(ast.dump, body))
                groups.setdefault(code, []).append(f"{source.path}:{node.lineno} {node.name}")
    return [group for group in groups.values() if len(group) > 1]


def definitions(source: Source) -> Iterator[tuple[int, str]]:
    """Yield the names that a file defines, with their lines: its own, classes, functions, parameters, attributes."""
    yield 1, source.name.rpartition(".")[2]
    yield from _assigned(source.tree.body)
    for node in source.nodes:
        match node:
            case ast.ClassDef():
                yield node.lineno, node.name
                yield from _assigned(node.body)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Attribute(value=ast.Name("self"), ctx=ast.Store()):
                yield node.lineno, node.attr
            case _:
                pass


def _assigned(body: Iterable[ast.stmt]) -> Iterator[tuple[int, str]]:
    for statement in body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        yield from ((target.lineno, target.id) for target in targets if isinstance(target, ast.Name))


@cache
def words(name: str) -> tuple[str, ...]:
    """Return the words of a name in snake or camel case, in lower case; `RealCode` and `real_code` have the same."""
    return tuple(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name))


def has(name: str, word: str) -> bool:
    """Return True if a name has a word or its plural among its words; `word` may have several parts: `real_code`."""
    spelt = f"_{'_'.join(words(name))}_"
    return f"_{word}_" in spelt or f"_{word}s_" in spelt


def named(files: Iterable[Source], listed: str) -> dict[str, list[str]]:
    """Return, for each word in `listed`, the definitions with it in their names; words without any are omitted."""
    defined = [(f"{source.path}:{line} {name}", name) for source in files for line, name in definitions(source)]
    found = {word: [where for where, name in defined if has(name, word)] for word in listed.split()}
    return {word: places for word, places in found.items() if places}


def mentions(files: Iterable[Source], names: Iterable[str]) -> dict[str, int]:
    """Return the number of files with each name as an identifier; its definition and imports count."""
    used = [_identifiers(source.nodes) for source in files]
    return {name: sum(name in identifiers for identifiers in used) for name in names}


def _identifiers(nodes: Iterable[ast.AST]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.ClassDef(name=name) | ast.alias(name=name):
                found.add(name)
            case _:
                pass
    return found


# Texts ----------------------------------------------------------------------------------------------------------------


def docstrings(source: Source) -> list[str]:
    """Return the docstrings of the module, classes, functions and attributes."""
    statements = [node for node in source.nodes if isinstance(node, ast.Expr)]
    values = [node.value.value for node in statements if isinstance(node.value, ast.Constant)]
    return [value for value in values if isinstance(value, str)]


def comments(source: Source) -> list[str]:
    """Return the comments without `#`."""
    tokens = tokenize.generate_tokens(io.StringIO(source.text).readline)
    return [token.string.lstrip("#").strip() for token in tokens if token.type == tokenize.COMMENT]


def riddles(texts: Iterable[str]) -> list[str]:
    """Return the texts that open with What, Whether, How or Who."""
    return [text for text in texts if re.match(rf"\W*({'|'.join(RIDDLES)})\b", text)]


# The figures ----------------------------------------------------------------------------------------------------------


def figures(files: Sequence[Source]) -> Iterator[tuple[str, str]]:
    """Yield the title and text of each figure that needs no run."""
    modules = [source.lines for source in files if source.is_module]
    total, imported = sum(source.lines for source in files), sum(map(import_lines, files))
    yield "modules", f"{len(modules)} of {len(files)} files (the others are __init__s with a docstring at most)"
    yield "lines of a module", f"median {median(modules):g}, mean {fmean(modules):.1f}, most {max(modules)}"
    yield f"modules over {LONG_MODULE} lines", f"{sum(lines > LONG_MODULE for lines in modules)}"
    yield f"functions over {LONG_FUNCTION} lines", f"{sum(len(long_functions(source)) for source in files)}"
    yield "product lines", f"{total}"
    yield "import lines", f"{imported} = {imported / total:.2%}"
    yield "modules with one importer", f"{len(lone(files))}"
    yield "  private: it is in the same package", f"{len(private(files))} (state machines and promises apart)"
    groups = repeated(files)
    yield "functions that repeat another", f"{sum(map(len, groups)) - len(groups)} (in {len(groups)} groups)"
    yield from _of_events(files)
    yield "private words in names", _counted(named(files, PRIVATE))
    yield "  words with a plain sense, too", _counted(named(files, SHARED))
    texts = [docstrings(source) for source in files]
    yield "docstrings", f"{sum(map(len, texts))}"
    counts = (sum(map(len, map(riddles, each))) for each in (texts, map(comments, files)))
    yield "  that open with What/Whether/How/Who", "{} docstrings, {} comments".format(*counts)
    yield 'lines with "so many"', f"{sum('so many' in line for source in files for line in source.text.splitlines())}"


def _of_events(files: Sequence[Source]) -> Iterator[tuple[str, str]]:
    """Yield the numbers of files that name each kind of event: a new kind needs at least the smallest of these."""
    kinds = {name: neutral for name, (neutral, _) in EVENTS.items() if name not in {"Note", "Figures"}}
    counts = sorted((count, kinds[name]) for name, count in mentions(files, kinds).items())
    yield "files that name a kind of event", f"least {counts[0][0]}, median {median(n for n, _ in counts):g}"
    yield "  by kind", ", ".join(f"{neutral} {count}" for count, neutral in counts)


def _counted(found: Mapping[str, Sequence[str]]) -> str:
    total = sum(map(len, found.values()))
    return f"{total}: " + ", ".join(f"{word} {len(places)}" for word, places in found.items()) if total else "0"


def main(arguments: Sequence[str]) -> None:
    """Print the figures, or one of the lists."""
    files = sources()
    match list(arguments):
        case ["names"]:
            for word, places in named(files, f"{PRIVATE} {SHARED}").items():
                print(word, *places, sep="\n  ")
        case ["importers"]:
            shown = private(files)
            for name, by in lone(files).items():
                print(f"{name} ← {by}{' (private)' if name in shown else ''}")
        case _:
            for title, figure in figures(files):
                print(f"{title:<38} {figure}")
            for title, journey in JOURNEYS.items():
                called = journey()
                print(f"files of a journey: {title:<18} {len(called)}", *called, sep="\n    ")


if __name__ == "__main__":
    main(sys.argv[1:])
