"""What certification remembers for its readers."""

from importlib.resources import files

from services.certification.domain.dossier import PUBLISHED, SCORED
from shared.contracts import certification as said
from shared.kernel.reactions import Projection, Rows

_sql = files(__package__).joinpath("sql")
certificates = Projection(
    "certificates",
    _sql.joinpath("certificates.sql").read_text(encoding="utf-8"),
    _sql.joinpath("certificates_indexes.sql").read_text(encoding="utf-8"),
)


@certificates.on(said.DossierOpened)
def on_dossier_opened(event: said.DossierOpened, rows: Rows) -> None:
    rows.execute(
        "INSERT INTO dossiers (application, candidate, batch, station, occupation, catalogue, level)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (application) DO UPDATE SET station = excluded.station,"
        " occupation = excluded.occupation, catalogue = excluded.catalogue, level = excluded.level",
        (
            event.application,
            event.candidate,
            event.batch,
            event.station,
            event.occupation,
            event.catalogue,
            event.level,
        ),
    )


@certificates.on(said.EvidenceFiled)
def on_evidence_filed(event: said.EvidenceFiled, rows: Rows) -> None:
    rows.execute(
        "INSERT INTO dossiers (application, candidate, batch, links) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (application) DO UPDATE"
        " SET links = array_remove(dossiers.links, excluded.links[1]) || excluded.links",
        (event.application, event.candidate, event.batch, [event.link]),
    )
    if event.link == SCORED:  # what was combined anew is not published yet
        rows.execute(
            "UPDATE dossiers SET links = array_remove(links, %s), passed = NULL WHERE application = %s",
            (PUBLISHED, event.application),
        )


@certificates.on(said.ResultFiled)
def on_result_filed(event: said.ResultFiled, rows: Rows) -> None:
    rows.execute("UPDATE dossiers SET passed = %s WHERE application = %s", (event.passed, event.application))


@certificates.on(said.CertificateApproved)
def on_certificate_approved(event: said.CertificateApproved, rows: Rows) -> None:
    rows.execute("UPDATE dossiers SET status = 'approved' WHERE application = %s", (event.application,))


@certificates.on_dated(said.CertificateIssued)
def on_certificate_issued(event: said.CertificateIssued, rows: Rows, happened: str) -> None:
    rows.execute(
        "INSERT INTO certificates (number, application, candidate, batch, station, occupation, catalogue,"
        " level, theory, practical, evidence_digest, issued_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            event.number,
            event.application,
            event.candidate,
            event.batch,
            event.station,
            event.occupation,
            event.catalogue,
            event.level,
            event.theory,
            event.practical,
            event.evidence_digest,
            happened,
        ),
    )
    rows.execute(
        "UPDATE dossiers SET status = 'issued', number = %s WHERE application = %s",
        (event.number, event.application),
    )
