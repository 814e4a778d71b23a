"""A text inside a JSON document, looked at by the database, on both databases alike."""

from typing import Any

from sqlalchemy import ColumnElement, Text, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement


class _InDoc(FunctionElement[str]):
    """The column, then the names that lead to the text."""

    type = Text()
    inherit_cache = True


@compiles(_InDoc, "sqlite")  # type: ignore[no-untyped-call, untyped-decorator, unused-ignore]
def _sqlite(element: Any, compiler: Any, **more: Any) -> str:
    document, *names = (compiler.process(each, **more) for each in element.clauses)
    path = " || '.' || ".join(names)
    return f"json_extract({document}, '$.' || {path})"


@compiles(_InDoc, "postgresql")  # type: ignore[no-untyped-call, untyped-decorator, unused-ignore]
def _postgresql(element: Any, compiler: Any, **more: Any) -> str:
    document, *names = (compiler.process(each, **more) for each in element.clauses)
    return f"json_extract_path_text(({document})::json, {', '.join(names)})"


def in_doc(document: Any, *names: str) -> ColumnElement[str]:
    """The text at these names in the document column; NULL where there is none."""
    return _InDoc(type_coerce(document, Text), *(type_coerce(name, Text) for name in names))
