"""voltbridge tariff lint: what in a tariff has no effect or may not be meant; needs no server."""

import json
from typing import Annotated, Any

import typer

from app.cli.failures import Failure
from app.cli.places import tariffs as app
from app.cli.show import AsJson, read_text, say

__all__ = ["app"]


@app.command()
def lint(
    file: Annotated[str, typer.Argument(help="A tariff in OCPI's form as JSON, or - for standard input.")],
    as_json: AsJson = False,
) -> None:
    """Check a tariff; exit code 1 if something in it is an error."""
    from app.admin.billing.findings import finding_body
    from app.domain import lint as check
    from app.kit.clock import SystemClock

    findings = check.lint(_tariff(file), SystemClock().now().date())
    if as_json:
        typer.echo(json.dumps([finding_body(each) for each in findings], indent=2, default=float))
    else:
        for finding in findings:
            _tell(finding)
        say(f"{len(findings)} finding{'' if len(findings) == 1 else 's'}")
    if any(each.level is check.Level.ERROR for each in findings):
        raise typer.Exit(1)


def _tell(finding: Any) -> None:
    say(f"{finding.level:<8} {finding.where}: {finding.words}")
    shown = finding.example
    if shown is not None:
        say(f"         {shown.what}: {_amount(shown.cost)}; {shown.meaning}: {_amount(shown.otherwise)}")


def _amount(price: Any) -> str:
    with_vat = "" if price.incl_vat is None else f" ({price.incl_vat.normalize():f} with VAT)"
    return f"{price.excl_vat.normalize():f}{with_vat}"


def _tariff(file: str) -> Any:
    from app.domain.errors import DomainError
    from app.domain.parties import Party
    from app.kit.clock import SystemClock
    from ocpi.errors import OcpiError
    from ocpi.mapping.tariffs import tariff_from
    from ocpi.strict_json import parse_body

    try:
        body = parse_body(read_text(file).encode())
        named = body.get("id") if isinstance(body, dict) else None
        return tariff_from(
            body,
            ours=Party("NL", "VBR"),
            tariff_id=named if isinstance(named, str) else "tariff",
            now=SystemClock().now(),
        )
    except (DomainError, OcpiError) as error:
        raise Failure(f"{file}: {error}") from None
