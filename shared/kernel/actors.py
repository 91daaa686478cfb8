"""Who acts: an opaque person, in one role, for one body."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The appointments of the seeds (requirements §4, R006-R019); held per batch, not per person."""

    EXAM_AFFAIRS = "exam_affairs"  # 考务
    STATION_REVIEWER = "station_reviewer"  # 鉴定所资格初审
    CENTRE_REVIEWER = "centre_reviewer"  # 中心资格复核
    STATION_DIRECTOR = "station_director"  # 所长
    CENTRE_OFFICER = "centre_officer"  # 中心业务人员
    TRAINER = "trainer"  # 培训教师
    PAPER_CUSTODIAN = "paper_custodian"  # 试卷保管
    EXAMINER = "examiner"  # 考评员
    INVIGILATOR = "invigilator"  # 监考
    SCORE_REGISTRAR = "score_registrar"  # 登分
    SCORE_REVIEWER = "score_reviewer"  # 成绩复核
    CERTIFICATE_PROCESSOR = "certificate_processor"  # 证书办理
    SUPERVISOR = "supervisor"  # 督导员
    CANDIDATE = "candidate"  # 考生
    ADMINISTRATOR = "administrator"  # 系统管理员
    SERVICE = "service"  # a service reacting to an event


@dataclass(frozen=True)
class Actor:
    """Somebody acting: `id` is opaque, `body` is a centre or a station (`centre`, `station-3201`).

    `device` is what he acts on, as an opaque id too, where the caller says so. It gives no rights.
    """

    id: str
    role: Role
    body: str
    device: str = ""
