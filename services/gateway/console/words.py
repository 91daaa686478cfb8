"""What things are called. Chinese stands here; English follows from the wire names themselves."""

import re
from collections.abc import Iterable
from typing import Any

from services.gateway.console.language import english, shown
from shared.kernel.actors import Role

_ROLES = {
    Role.EXAM_AFFAIRS: "考务",
    Role.STATION_REVIEWER: "资格初审",
    Role.CENTRE_REVIEWER: "资格复核",
    Role.STATION_DIRECTOR: "所长",
    Role.CENTRE_OFFICER: "中心业务",
    Role.TRAINER: "培训教师",
    Role.PAPER_CUSTODIAN: "试卷保管",
    Role.EXAMINER: "考评员",
    Role.INVIGILATOR: "监考",
    Role.SCORE_REGISTRAR: "登分",
    Role.SCORE_REVIEWER: "成绩复核",
    Role.CERTIFICATE_PROCESSOR: "证书办理",
    Role.SUPERVISOR: "督导员",
    Role.CANDIDATE: "考生",
    Role.ADMINISTRATOR: "系统管理员",
    Role.SERVICE: "系统自动",
}
EVENTS = {
    "AccountOpened": "账户开通",
    "AccountClosed": "账户关闭",
    "AccountLocked": "账户锁定",
    "AppointmentGiven": "任职登记",
    "AppointmentEnded": "任职终止",
    "AdmissionTicketIssued": "准考证签发",
    "ApplicationConcluded": "申请办结",
    "ApplicationSubmitted": "提交申请",
    "ApplicationWithdrawn": "撤回申请",
    "AttemptRefused": "越权尝试被拒",
    "BatchApplied": "批次申请",
    "BatchClosed": "批次关闭",
    "BatchSealed": "批次封存计数",
    "BundleMade": "追溯包导出",
    "CandidateAbsent": "考生缺考",
    "CandidateCheckedIn": "考生签到",
    "CandidateEnrolled": "编入花名册",
    "CandidateRegistered": "报名成功",
    "CandidateStruckOff": "移出花名册",
    "CentreReviewPassed": "中心复核通过",
    "CentreReviewRejected": "中心复核不通过",
    "CertificateApproved": "发证审核通过",
    "CertificateIssued": "证书签发",
    "CertificateNumberAllocated": "证书编号分配",
    "CorrectionProposed": "申请更正成绩",
    "DossierOpened": "证书档案建立",
    "EnrolmentRefused": "未能编入批次",
    "EvidenceFiled": "证据入卷",
    "ExaminerAdmitted": "考评员进入考评组",
    "ExaminerAssigned": "考评员委派",
    "FindingRaised": "审计发现",
    "LogExported": "日志导出",
    "LogVerified": "日志核验",
    "LoginLinked": "统一身份绑定",
    "PaperDrawn": "试题抽取",
    "PaperPoolSealed": "试题池封存",
    "PartScored": "单科成绩入册",
    "PasswordChanged": "密码更改",
    "PersonEnrolled": "人员建档",
    "PersonErased": "个人信息删除",
    "RefreshTokenReused": "失效凭证被重复使用",
    "ResultFiled": "公布成绩入卷",
    "ResultOpened": "成绩单建立",
    "ResultPublished": "成绩公布",
    "ScoreCorrected": "成绩更正",
    "ScoreSubmitted": "成绩提交",
    "ScoresCombined": "成绩合成",
    "ScoresReviewed": "成绩审核",
    "SeatAssigned": "考位确定",
    "SeatsAllocated": "考位编排",
    "SensitiveRead": "敏感查阅",
    "SheetOpened": "评分表建立",
    "SheetSigned": "评分表签名",
    "SigningKeyRegistered": "签名密钥登记",
    "StationReviewPassed": "鉴定所初审通过",
    "StationReviewRejected": "鉴定所初审不通过",
    "TaskNoticeIssued": "任务通知下达",
    "TicketLinked": "准考证关联考位",
    "TrailRead": "追溯查询",
    "TrainingHeld": "考前培训",
}
# the events by which looking, and taking something out of the house, is told
LOOKS = ("SensitiveRead", "TrailRead", "LogVerified", "LogExported", "BundleMade")
FIELDS = {
    "account": "账户", "failures": "失败次数", "until": "截至", "session": "会话", "lock": "锁定",
    "algorithm": "算法", "applications": "申请",
    "application": "申请", "approved": "核准人数",
    "approver": "批准人", "attempt": "尝试", "batch": "批次",
    "blind_code": "盲码", "body": "机构", "book": "号簿",
    "candidate": "考生", "catalogue": "目录", "checker": "核验人", "clause": "条款", "code": "代码",
    "command": "命令", "document": "证件类型", "education": "学历", "evidence_digest": "证据摘要",
    "evidence_hash": "证据哈希", "examiner": "考评员", "examiners": "考评员", "head": "组长",
    "ground": "法定事由", "held_level": "已持等级", "hours": "学时",
    "identity_commitment": "身份承诺值", "kind": "类别",
    "level": "等级", "levels": "等级", "link": "环节", "lot": "抽签值", "name": "姓名", "new": "更正后",
    "notice": "通知书号", "number": "编号", "occupation": "职业", "old": "更正前", "outcome": "结果",
    "paper": "试题", "papers": "试题", "part": "科目", "parts": "科目", "passed": "合格",
    "photo": "照片", "photo_commitment": "照片承诺值", "planned": "计划人数", "pool_digest": "题池摘要",
    "practical": "实操", "practical_at": "实操时间", "proposer": "申请人",
    "query": "查询", "read": "查阅", "reason": "理由",
    "reviewer": "审核人", "role": "角色", "room": "考场",
    "rooms": "考场", "rows": "行数", "rubric": "评分标准",
    "rule": "规则", "rule_version": "规则版本", "score": "成绩", "seat": "座位", "seed": "随机种子",
    "serial": "序号", "sheet": "评分表", "sitting": "考次", "station": "鉴定所", "stream": "对象",
    "theory": "理论", "theory_at": "理论时间", "ticket": "准考证", "trainees": "学员", "trainer": "教师",
    "training": "培训", "witness": "见证人", "year": "年份",
    "years_in_trade": "从业年限", "public_key": "公钥",
    "signature": "签名", "type": "事件", "actor": "操作人",
    "sheet_digest": "评分表摘要", "evidence": "证据",
    "everything": "全部",
    "about": "关于", "after": "起始序号", "as_of": "截至时点", "bundle": "追溯包",
    "bundle_digest": "追溯包摘要", "doer": "操作人筛选", "events": "事件数", "export": "导出",
    "finding": "发现", "first": "首个异常", "first_index": "起始序号", "first_position": "起始位置",
    "last_index": "终止序号", "last_position": "终止位置", "problems": "问题数", "root": "根哈希",
    "since": "自", "size": "条目数", "trail": "追溯对象", "types": "事件类型", "verdict": "核验结论",
    "verification": "核验", "chain_digest": "链摘要", "upto": "截至位置",
    # what is asked, and stands in no event
    "command_id": "命令编号", "occurred_at": "发生时间", "limit": "条数", "password": "密码",
    "appointment": "任职", "appointments": "任职", "id_token": "身份令牌", "nonce": "随机数",
    "refresh": "续期令牌", "current": "原密码", "issuer": "签发方", "subject": "主体", "status": "状态",
    "text": "编号或准考证", "position": "位置", "consumer": "消费者", "source": "来源", "data": "事件内容",
    "why": "原因", "projection": "视图", "document_checked": "证件已核", "photo_matches": "照片相符",
    "stage": "进度", "signer": "签名人", "result": "成绩", "dossier": "证书档案", "batches": "批次",
    "id": "编号", "at": "序号", "before": "终止序号", "minutes": "分钟",
}  # fmt: skip
# what is told before something is done that cannot be undone
SURE = ("reason", "why", "ground", "candidate", "appointment")
_STATES = {
    "submitted": "待初审", "station_passed": "待复核", "rejected": "未通过", "registered": "已报名",
    "ticketed": "已发准考证", "withdrawn": "已撤回", "concluded": "已办结", "applied": "已申请",
    "noticed": "已下达通知", "supplied": "题池已封存", "seated": "已编排考位", "closed": "已关闭",
    "enrolled": "已入册",
    "checked_in": "已签到", "absent": "缺考", "drawn": "已抽题", "open": "待评分", "scored": "已评分",
    "correction_proposed": "待批准更正", "corrected": "已更正", "combined": "已合成", "reviewed": "已审核",
    "published": "已公布", "approved": "已审核", "issued": "已发证", "passed": "合格", "failed": "不合格",
    "theory": "理论", "practical": "实操", "parked": "已搁置", "repaired": "已修复", "replayed": "已重放",
    "skipped": "已跳过",
}  # fmt: skip
_LINKS = {
    "registered": "报名", "ticketed": "准考证", "checked_in": "签到", "drawn": "抽题", "scored": "成绩合成",
    "published": "成绩公布",
}  # fmt: skip
LINKS = tuple(_LINKS)  # in the order of the way
_CHECKS = {
    "number": "编号合乎编码规则", "registered": "编号在发放登记表中", "name": "姓名与持证人相符",
    "chain": "证据链完整", "passed": "两科均达到合格线",
}  # fmt: skip
_CHECKS_EN = {
    "number": "The number follows its scheme", "registered": "The number is in the register",
    "name": "The name is the holder's", "chain": "The chain of evidence is whole",
    "passed": "Both parts reach the pass mark",
}  # fmt: skip
_KINDS = {
    "candidate": "考生", "batch": "批次", "examiner": "考评员",
    "certificate": "证书", "application": "申请",
    "ticket": "准考证", "station": "鉴定所", "room": "考场",
    "paper": "试题", "sheet": "盲码", "actor": "操作人",
}  # fmt: skip
_FINDINGS = {
    "source-silent": "来源静默", "source-returned": "来源恢复", "missing-events": "事件缺失",
    "gap-filled": "缺失已补", "late-events": "迟到", "rolled-back": "日志倒退", "fork": "日志分叉",
    "equivocation": "说法矛盾", "forged": "伪造内容", "unreadable": "无法读取", "not-signed": "拒绝签署",
    "refused-by-witness": "见证方拒绝", "short-batch": "批次事件缺少", "other-batch": "批次事件不符",
    "late-in-batch": "批次关闭后补记", "unsealed-batch": "批次未封存", "hidden-entries": "追溯索引被删",
    "unrecordable": "无法入册", "recorded-ahead": "记录时间超前", "clock-ahead": "时钟超前",
    "bad-signature": "签名无效",
}  # fmt: skip
_SERVICES = {
    "registration": "报名", "scheduling": "考务", "scoring": "评分",
    "certification": "证书", "audit": "审计",
    "gateway": "门户",
}  # fmt: skip
DOCUMENTS = {
    "resident_id": "居民身份证", "officer_card": "军官证",
    "mainland_travel_permit": "港澳台居民来往内地（大陆）通行证",
    "permanent_residence": "外国人永久居留身份证", "passport": "护照",
}  # fmt: skip
# the five of PIPL art. 47 that oblige to erase
GROUNDS = {
    "purpose_ended": "处理目的已实现、无法实现或不再必要",
    "retention_ended": "停止提供服务，或保存期限已届满", "consent_withdrawn": "个人撤回同意",
    "processing_unlawful": "违反法律、行政法规或约定处理",
    "other_law": "法律、行政法规规定的其他情形",
}  # fmt: skip
# the words that a field of an event may hold
SAID: dict[str, dict[Any, str]] = {
    "kind": {"student": "在校生", "society": "社会人员", "enterprise": "企业职工"},
    "education": {"none": "不限", "vocational_school": "职业学校", "college": "大专及以上"},
    "document": DOCUMENTS, "ground": GROUNDS, "role": _ROLES, "finding": _FINDINGS,
    "outcome": _STATES, "part": _STATES, "parts": _STATES, "link": {**_LINKS, **_STATES},
}  # fmt: skip
_LEVELS = {1: "一级 高级技师", 2: "二级 技师", 3: "三级 高级工", 4: "四级 中级工", 5: "五级 初级工"}
_LEVELS_EN = {
    1: "1 senior technician", 2: "2 technician", 3: "3 senior worker", 4: "4 intermediate worker",
    5: "5 junior worker",
}  # fmt: skip
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")


def _of(known: dict[Any, str], word: Any) -> str:
    return _humanly(str(word)) if english() or word not in known else known[word]


def _humanly(wire: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", wire).replace("_", " ")
    return spaced[:1].upper() + spaced[1:].lower()


def role(word: str) -> str:
    return _of(_ROLES, word)


def event(type: str) -> str:
    return _of(EVENTS, type)


def field(name: str) -> str:
    return _of(FIELDS, name)


def given(name: str, value: str) -> str:
    """What somebody chose or typed, as a page repeats it to him."""
    return {"appointment": appointment, "ground": ground}.get(name, str)(value)


def appointment(spelled: str) -> str:
    """`role@body` as people say it."""
    held, _at, of = spelled.partition("@")
    return f"{role(held)} · {body(of)}"


def state(word: str) -> str:
    return _of(_STATES, word)


def kind(word: str) -> str:
    return _of(_KINDS, word)


def service(word: str) -> str:
    return _of(_SERVICES, word)


def link(word: str) -> str:
    return _of(_LINKS, word)


def options(name: str) -> list[tuple[str, str]]:
    """What a field may hold, to be chosen from."""
    return [(each, _of(SAID[name], each)) for each in SAID[name]]


def ground(word: str) -> str:
    return _of(GROUNDS, word)


def check(word: str) -> str:
    return (_CHECKS_EN if english() else _CHECKS)[word]


def finding(word: str) -> str:
    return _of(_FINDINGS, word)


def level(number: Any) -> str:
    known = _LEVELS_EN if english() else _LEVELS
    return known.get(number, str(number))


def levels(numbers: Any) -> str:
    return listed(map(str, numbers))


def listed(each: Iterable[str]) -> str:
    return ("、", ", ")[english()].join(each)


def levels_of_one(number: Any) -> str:
    return str(number)


def body(word: str) -> str:
    """`centre`, or the station with its code."""
    if word == "centre":
        return "Centre" if english() else "指导中心"
    code = word.removeprefix("station-")
    return f"Station {code}" if english() else f"鉴定所 {code}"


def truth(value: Any) -> str:
    if english():
        return "yes" if value else "no"
    return "是" if value else "否"


def said(name: str, value: Any) -> str:
    """The value of an event's field as people read it."""
    match value:
        case bool():
            return truth(value)
        case list():
            return listed(said(name, each) for each in value)
        case str() if _STAMP.fullmatch(value):
            return shown(value)
        case str() if name in SAID:
            return _of(SAID[name], value)
        case _:
            return str(value)
