"""What the doctor says of logins."""

from collections.abc import Iterator
from pathlib import Path

from shared.runtime.finding import Finding, warning
from shared.runtime.settings import Settings
from shared.security.openid import Provider, ProviderInvalid


def findings(settings: Settings) -> Iterator[Finding]:
    """Who is answered, and who says so."""
    if settings.tokens_required:
        yield Finding("logins", True, "required: no service answers without a token")
    elif settings.embedded_bus:
        where = "of this machine without one, because they hold its keys anyway; the door asks for one always"
        found = f"accepted, and calls {where}; JIANDING_TOKENS=required forbids those too"
        yield Finding("logins", True, found)
    else:
        mend = "unset JIANDING_TOKENS, or set it to `required`, for every service"
        found = "not required: whoever reaches RabbitMQ is who he says he is"
        yield warning("logins", found, mend)
    if settings.oidc:
        yield _provider(Path(settings.oidc))


def _provider(file: Path) -> Finding:
    try:
        provider = Provider.read(file)
    except ProviderInvalid as error:
        mend = "mend the file that JIANDING_OIDC names; deploy/README.md has an example"
        return Finding("OpenID Connect", False, f"{file.name} cannot be used {error}", mend)
    return Finding("OpenID Connect", True, provider.issuer)
