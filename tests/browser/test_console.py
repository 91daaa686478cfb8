"""The console as people use it: each role from login to outcome, in a real browser, on a real node."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Locator
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from services.gateway.console.pages import ROOMS
from shared.kernel.actors import Role
from shared.runtime.demo import logins
from tests.browser.reader import LARGEST, Reader
from tests.faults.proxy import Proxy

CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
NAME, NUMBER = "虚构某某", "999999199001010111"
PEOPLE = [role.value for role in Role if role is not Role.SERVICE]
Come = Callable[..., Reader]
Walked = dict[str, set[str]]
ROUTES = Map(
    [Rule(page.path, endpoint=page.name) for room in ROOMS for page in room.pages if "GET" in page.methods]
).bind("")
# pages that no link leads to by itself: the day of the small batch
STARTS = {"": ("/login", "/check"), "invigilator": ("/day?on=2026-04-16",)}
# a file, and what is brought into a page that is open
NO_PAGES = {"supervision_export", "supervision_stream", "supervision_pace"}


def actor(role: Role) -> str:
    """Who logs in in this role."""
    return logins.account(logins.KEY, role)


def check_character(seventeen: str) -> str:
    """The last character of a resident ID number (GB 11643)."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(w * int(d) for w, d in zip(weights, seventeen, strict=True)) % 11]


ID_NUMBER = NUMBER[:17] + check_character(NUMBER[:17])


# -- every page


@pytest.mark.parametrize("role", ["", *PEOPLE])
def test_every_page_of_a_role_is_whole_in_both_languages_and_on_a_phone(
    reader: Come, walked: Walked, role: str
) -> None:
    """The role without a name is the public."""
    walk(reader, walked, role)


def walk(reader: Come, walked: Walked, role: str) -> None:
    """Everything that the menu and the links of pages lead to; what several roles have, with the first."""
    if role in walked:
        return
    somebody = reader(role)
    ways = [*menu(somebody), *STARTS.get(role, ())]
    opened = set[str]()
    while ways:
        way = ways.pop(0)
        if (kind := kind_of(way)) in opened or not kind:
            continue
        opened.add(kind)
        somebody.open(way)
        assert (way, somebody.page.locator("main .problem:visible").all_inner_texts()) == (way, [])
        ways += links(somebody)
        if not any(kind in others for others in walked.values()):
            look_at(somebody, way, f"{role or 'public'}-{kind.replace('?', '-of-one')}")
    walked[role] = opened
    assert somebody.wrong == []


def test_no_page_of_the_frame_is_left_out(reader: Come, walked: Walked) -> None:
    for role in ("", *PEOPLE):
        walk(reader, walked, role)
    pages = {page.name for room in ROOMS for page in room.pages if "GET" in page.methods}
    assert pages - {kind.rstrip("?") for kinds in walked.values() for kind in kinds} == NO_PAGES


def menu(somebody: Reader) -> list[str]:
    return list(somebody.page.locator("nav.rooms a").evaluate_all("all => all.map(each => each.pathname)"))


def links(somebody: Reader) -> list[str]:
    """What a page leads to, in this house."""
    ours = "all => all.filter(each => each.host === location.host).map(each => each.pathname + each.search)"
    return list(somebody.page.locator("main a[href], .dropped a[href]").evaluate_all(ours))


def kind_of(way: str) -> str:
    """The page of the frame that an address belongs to, with a question mark where it asks for one thing."""
    path, _, query = way.partition("?")
    try:
        name, _parts = ROUTES.match(path)
    except HTTPException:
        return ""
    return "" if name in NO_PAGES else f"{name}{'?' if query else ''}"


def look_at(somebody: Reader, way: str, name: str) -> None:
    """In Chinese, in English, and on a phone."""
    for language in ("zh", "en"):
        somebody.read_in(language)
        somebody.open(way)
        somebody.keep(f"{name}-{language}")
        assert (way, language, somebody.obstacles()) == (way, language, [])
        assert somebody.weight() < LARGEST
    assert (way, somebody.chinese()) == (way, [])
    somebody.read_in("zh")
    somebody.page.set_viewport_size({"width": 390, "height": 844})
    somebody.open(way)
    somebody.keep(f"{name}-phone")
    wide = somebody.page.evaluate("() => document.documentElement.scrollWidth")
    assert (way, wide) == (way, 390)
    somebody.page.set_viewport_size({"width": 1280, "height": 900})


def test_the_language_is_changed_by_a_button_and_stays(reader: Come) -> None:
    somebody = reader()
    somebody.open("/check")
    somebody.page.locator("button[lang=en]").click()
    somebody.page.wait_for_selector("html[lang^=en]")
    somebody.open("/login")
    assert somebody.page.locator("h1").inner_text() == "Log in"


def test_a_keyboard_skips_what_stands_before_the_page(reader: Come) -> None:
    somebody = reader("exam_affairs")
    somebody.open("/station/applications")
    somebody.page.keyboard.press("Tab")
    assert somebody.page.evaluate("() => document.activeElement.className") == "skip"
    somebody.page.keyboard.press("Enter")
    assert somebody.page.evaluate("() => document.activeElement.id") == "main"


def test_a_page_of_another_role_is_refused_and_without_login_there_is_the_login_page(reader: Come) -> None:
    clerk = reader("exam_affairs")
    assert clerk.page.request.get("/trail").status == 403
    stranger = reader()
    stranger.open("/trail?kind=batch&id=x")
    assert "/login?next=" in stranger.page.url
    assert stranger.page.locator(".notice").inner_text()


def test_a_wrong_password_is_told_without_saying_what_was_wrong(reader: Come) -> None:
    stranger = reader()
    stranger.open("/login")
    stranger.fill(name="supervisor", password="not the password")
    stranger.page.locator("main form.form button").click()
    stranger.page.wait_for_selector(".problem")
    assert "WrongLogin" in stranger.page.locator(".problem").inner_text()


# -- the way of one batch, from its application to the certificate that anybody can check


def test_a_batch_goes_its_way_from_application_to_certificate(reader: Come, tmp_path: Path) -> None:
    batch = apply_for_a_batch(reader("station_director"))
    application = submit_an_application(reader("exam_affairs"), batch, tmp_path)
    absent = somebody_else_applies(reader("exam_affairs"), batch, tmp_path, "虚构缺席", 21)
    for each, name in ((application, NAME), (absent, "虚构缺席")):
        review(reader("station_reviewer"), f"/station/applications/{each}", "初审通过", name)
        review(reader("centre_reviewer"), f"/station/applications/{each}", "复核通过", name)
    prepare(reader, batch)
    ticket = seat(reader("exam_affairs"), batch, application)
    exam_day(reader("invigilator"), reader("invigilator"), batch, ticket)
    sheet = score(reader("examiner"))
    another_device(reader("examiner"))
    correct(reader, sheet, application)
    conclude(reader, application)
    number = certificate(reader("certificate_processor"), batch)
    anybody_checks(reader(), number)
    close(reader("centre_officer"), batch)
    everything_stands_in_the_trail(reader("supervisor"), batch)


def apply_for_a_batch(director: Reader) -> str:
    director.open("/station/batches/new")
    soon = datetime.now(UTC).astimezone(CHINA) + timedelta(minutes=20)
    local = soon.strftime("%Y-%m-%dT%H:%M")
    director.fill(occupation="浏览器试验工", planned="10", theory_at=local, practical_at=local)
    director.press("提交批次申请")
    assert director.told() == "批次申请已提交。"
    return director.page.url.rsplit("/", 1)[1]


def submit_an_application(clerk: Reader, batch: str, folder: Path) -> str:
    photo = folder / "photo.jpg"
    photo.write_bytes(b"\xff\xd8 a picture of nobody")
    clerk.open(f"/station/applications/new?batch={batch}")
    clerk.fill(name=NAME, number="999999199001010110")
    clerk.page.set_input_files("[name=photo]", photo)
    clerk.page.locator("main form.form button").click()
    clerk.page.wait_for_selector(".problem")
    assert clerk.page.locator(".field.wrong input").get_attribute("name") == "number"
    clerk.fill(number=ID_NUMBER)
    clerk.page.set_input_files("[name=photo]", photo)
    clerk.press("提交申请")
    assert clerk.told() == "申请已提交。"
    application = clerk.page.url.rsplit("/", 1)[1]
    the_same_person_again(clerk, batch, photo)
    clerk.open("/station/applications/named")
    clerk.fill(name=f" {NAME[:2]} {NAME[2:]}", batch=batch)
    clerk.press("查找")
    assert clerk.row(application[-8:]).locator(".state").inner_text() == "待初审"
    assert NAME not in clerk.page.url
    clerk.fill(name=NAME[:2])
    clerk.press("查找")
    assert clerk.page.locator("main tbody").count() == 0
    clerk.open(f"/station/applications?text={application[:18]}")
    assert clerk.row(application[-8:]).locator(".state").inner_text() == "待初审"
    return application


def the_same_person_again(clerk: Reader, batch: str, photo: Path) -> None:
    """His document tells who he is, and the rule that he has an application open already."""
    clerk.open(f"/station/applications/new?batch={batch}")
    clerk.fill(name=NAME, number=ID_NUMBER)
    clerk.page.set_input_files("[name=photo]", photo)
    clerk.page.locator("main form.form button").click()
    clerk.page.wait_for_selector(".problem")
    assert "R036" in clerk.page.locator(".problem").inner_text()
    assert clerk.page.locator("[name=name]").input_value() == NAME
    clerk.keep("clerk-applied-already-zh")


def somebody_else_applies(clerk: Reader, batch: str, folder: Path, name: str, place: int) -> str:
    """Each with another document of nobody's."""
    photo = folder / "photo.jpg"
    photo.write_bytes(b"\xff\xd8 a picture of nobody")
    number = f"999999199001{place:02d}011"
    clerk.open(f"/station/applications/new?batch={batch}")
    clerk.fill(name=name, number=number + check_character(number))
    clerk.page.set_input_files("[name=photo]", photo)
    clerk.press("提交申请")
    assert clerk.told() == "申请已提交。"
    return clerk.page.url.rsplit("/", 1)[1]


def compare(somebody: Reader, there: Locator, name: str = NAME, *, masked: bool = False) -> None:
    """A press shows who stands behind an application, on this page and in no address."""
    page, before = somebody.page, somebody.page.url
    assert name not in page.content()
    there.get_by_role("button", name="核对身份").click()
    page.locator("#person", has_text=name).wait_for()
    assert page.locator("#person img").get_attribute("src").startswith("data:image/jpeg;base64,")
    number = page.locator("#person dd code").inner_text()
    assert re.fullmatch(r"999\*{13}\w\w" if masked else r"9{6}199001\d{5}\w", number)
    assert page.url == before
    somebody.keep(f"identity-{'hall' if masked else 'application'}-zh")
    assert somebody.obstacles() == []


def review(reviewer: Reader, path: str, button: str, name: str) -> None:
    reviewer.open(path)
    compare(reviewer, reviewer.page.locator("main"), name)
    reviewer.press(button)
    assert reviewer.told() == "审核结果已记录。"


def prepare(reader: Come, batch: str) -> None:
    officer = reader("centre_officer")
    officer.open("/centre/batches")
    officer.page.wait_for_selector(f"tr#row-{batch}")
    officer.open(f"/batches/{batch}")
    officer.fill(notice="鉴通-试-1")
    officer.press("下达任务通知书")
    assert officer.told() == "任务通知书已下达。"
    custodian = reader("paper_custodian")
    custodian.open(f"/batches/{batch}")
    custodian.press("封存题池")
    assert custodian.told() == "题池已封存。"
    examiner = actor(Role.EXAMINER)
    others = [examiner[:-1] + end for end in "abcdef" if not examiner.endswith(end)]
    officer.open("/centre/examiners?text=EXAMINER")
    assert officer.page.locator("main tbody tr").get_attribute("id") == f"row-{examiner}"
    for place, (one, part) in enumerate(
        [(examiner, "theory"), (examiner, "practical"), (others[0], "practical"), (others[1], "practical")]
    ):
        officer.open(f"/batches/{batch}")
        officer.fill(examiner=one, part=part)
        if place < 2:
            officer.page.check("[name=head]")
        officer.press("委派考评员")
        assert officer.told() == "考评员已委派。"


def seat(clerk: Reader, batch: str, application: str) -> str:
    clerk.open(f"/batches/{batch}")
    clerk.fill(rooms="试验一号考场")
    clerk.press("随机编排考位")
    assert clerk.told() == "考位已编排。"
    clerk.open(f"/station/applications/{application}")
    ticket = clerk.page.locator("dd", has_text=re.compile(r"^[2-9A-HJ-NP-Z]{16}$"))
    for _ in range(100):  # the ticket follows from the seat a moment later
        if ticket.count():
            break
        clerk.page.reload()
    return ticket.inner_text()


def exam_day(invigilator: Reader, colleague: Reader, batch: str, ticket: str) -> None:
    """The line breaks while somebody is checked in; he is checked in once all the same, and a colleague in
    the same room sees it without a press of his own.
    """
    colleague.open(f"/day/{batch}")
    colleague.row(ticket).get_by_label("证件已核").check()
    invigilator.open("/day")
    invigilator.open(f"/day/{batch}")
    page = invigilator.page
    assert invigilator.row(ticket).locator(".state").inner_text() == "已发准考证"
    assert page.locator(".head").inner_text() == "试验一号考场"
    compare(invigilator, invigilator.row(ticket), masked=True)
    invigilator.row(ticket).get_by_role("button", name="签到").click()  # nobody has looked at the document
    page.locator("#refused li", has_text="R").wait_for()
    page.get_by_role("button", name="知道了").click()
    page.wait_for_selector("#refused", state="hidden")
    assert "row-waits" not in (invigilator.row(ticket).get_attribute("class") or "")
    assert invigilator.row(ticket).locator(".state").inner_text() == "已发准考证"
    page.context.set_offline(True)
    for said in ("证件已核", "照片相符"):
        invigilator.tab_to(invigilator.row(ticket).get_by_label(said))
        page.keyboard.press("Space")
    invigilator.tab_to(invigilator.row(ticket).get_by_role("button", name="签到"))
    page.keyboard.press("Enter")
    page.wait_for_selector("#offline[data-count='1']")
    with colleague.page.expect_response(lambda answer: f"/day/{batch}" in answer.url):
        pass  # the room as it is now, in which nothing has changed
    assert colleague.row(ticket).get_by_label("证件已核").is_checked()
    assert "1" in page.locator("#offline").inner_text()
    invigilator.keep("invigilator-offline-zh")
    page.context.set_offline(False)
    invigilator.row(ticket).locator(".state", has_text="已签到").wait_for()
    colleague.row(ticket).locator(".state", has_text="已签到").wait_for()
    page.wait_for_selector("#offline", state="hidden")
    invigilator.row(ticket).get_by_role("button", name="抽题").dblclick()
    invigilator.row(ticket).locator(".state", has_text="已抽题").wait_for()
    other = page.locator("main tbody tr").filter(has_not_text=ticket)
    other.locator("summary", has_text="缺考").click()
    other.locator("details button").click()
    other.locator(".state", has_text="缺考").wait_for()
    assert other.get_by_role("button").count() == 0
    assert invigilator.row(ticket).locator("td.id code").inner_text().startswith("…")
    assert page.locator("#person").inner_text() == ""
    assert colleague.wrong == []
    known = ("ERR_INTERNET_DISCONNECTED", "409")  # the line that was cut, and what was refused
    invigilator.wrong = [each for each in invigilator.wrong if not any(why in each for why in known)]
    assert invigilator.wrong == []


def score(examiner: Reader) -> str:
    """By keyboard: a score, Enter, the next sheet; each signed by this browser's key. The first sheet."""
    examiner.open("/examining")
    page = examiner.page
    page.wait_for_selector("#device[data-state=new]")
    waiting = page.locator("#sheets tbody tr").count()
    page.locator("[name=score]").first.fill("82")
    with page.expect_event("dialog") as asked:
        page.once("dialog", lambda dialog: dialog.dismiss())
        page.keyboard.press("Enter")
    assert "不带签名" in asked.value.message
    page.locator("#sheets button:enabled").nth(waiting - 1).wait_for()  # it may be sent again
    assert page.locator("#sheets tbody tr").count() == waiting
    examiner.press("登记本设备的密钥")
    page.wait_for_selector("#device[data-state=registered]")
    assert NAME not in page.content()
    examiner.keep("examiner-sheets-zh")
    first = str(page.locator("#sheets tbody tr").first.get_attribute("id")).removeprefix("row-")
    for points in ("82", "77"):
        page.wait_for_selector("#device[data-state=registered]")
        page.wait_for_function("() => document.activeElement.name === 'score'")
        page.keyboard.type(points)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert examiner.told() == "成绩已提交。"
    examiner.open("/examining/done")
    assert page.locator("tr", has_text="是").count() >= 2
    key = page.evaluate(
        "() => new Promise(done => { const opening = indexedDB.open('jianding', 1);"
        " opening.onsuccess = () => {"
        " const all = opening.result.transaction('keys').objectStore('keys').getAll();"
        " all.onsuccess = () => done(all.result.map(each => each.privateKey.extractable)); }; })"
    )
    assert key == [False]
    assert examiner.wrong == []
    return first


def correct(reader: Come, sheet: str, application: str) -> None:
    """The examiner asks for it, and somebody else approves."""
    examiner, reviewer = reader("examiner"), reader("score_reviewer")
    examiner.open("/examining/done")
    examiner.page.locator(f"a[href*='{sheet}']").click()
    examiner.fill(new="81", reason="卷面小题分累计有误")
    examiner.press("申请更正")
    assert examiner.told() == "更正申请已提交。"
    assert examiner.page.request.get("/corrections").status == 403
    row = reviewer.row(sheet)
    for _ in range(100):
        reviewer.open("/corrections")
        if row.count():
            break
    assert {"82", "81", "卷面小题分累计有误"} <= set(row.locator("td").all_inner_texts())
    reviewer.keep("reviewer-correction-zh")
    with reviewer.page.expect_navigation():
        row.get_by_role("button", name="批准更正").click()
    assert reviewer.told() == "已办理。"
    corrected = reviewer.page.locator(f"tr#row-{application} td", has_text=re.compile("^81$"))
    for _ in range(100):
        reviewer.open("/results")
        if corrected.count():
            break
    assert corrected.count() == 1
    assert examiner.wrong == reviewer.wrong == []


def another_device(examiner: Reader) -> None:
    """Another browser has another key; what that means is said before it is registered."""
    examiner.open("/examining")
    examiner.page.wait_for_selector("#device[data-state=other]")
    assert "另一台设备" in examiner.page.locator("#device-says").inner_text()
    assert examiner.page.get_by_role("button", name="登记本设备的密钥").is_visible()
    examiner.keep("examiner-another-device-zh")


def conclude(reader: Come, application: str) -> None:
    for role, button, done in (
        ("score_reviewer", "审核确认", "成绩已审核。"),
        ("centre_officer", "公布", "成绩已公布。"),
    ):
        somebody = reader(role)
        row = somebody.page.locator(f"tr#row-{application}")
        for _ in range(100):
            somebody.open("/results")
            if row.count():
                break
        with somebody.page.expect_navigation():
            row.get_by_role("button", name=button).click()
        assert somebody.told() == done


def certificate(processor: Reader, batch: str) -> str:
    row = processor.page.locator("tr", has_text="浏览器试验工")
    for _ in range(100):
        processor.open("/certificates/waiting")
        if row.count():
            break
    with processor.page.expect_navigation():
        row.get_by_role("button", name="审核发证").click()
    processor.told()
    number = processor.page.locator("tbody td.code").first
    for _ in range(100):
        processor.open(f"/certificates?batch={batch}")
        if number.count():
            break
    return number.inner_text()


def anybody_checks(stranger: Reader, number: str) -> None:
    stranger.open(f"/check?number={number}")
    stranger.fill(name=NAME)
    stranger.press("核验")
    assert stranger.page.locator(".verdict.good").inner_text() == "证书真实有效"
    assert stranger.page.locator(".checks .state.passed").count() == 5
    shown = stranger.page.locator("#verdict").inner_text()
    assert ID_NUMBER not in shown
    assert ID_NUMBER[:3] in shown
    assert "发证时间" in shown
    stranger.keep("public-check-genuine-zh")
    assert stranger.obstacles() == []
    stranger.fill(number=number, name="虚构他人")
    stranger.press("核验")
    assert stranger.page.locator(".verdict.bad").count() == 1
    assert "浏览器试验工" not in stranger.page.locator("#verdict").inner_text()
    assert stranger.wrong == []


def close(officer: Reader, batch: str) -> None:
    officer.open(f"/batches/{batch}")
    officer.press("关闭批次")
    officer.keep("officer-sure-zh")
    assert officer.obstacles() == []
    assert officer.page.evaluate("() => document.activeElement.textContent") == "返回"
    officer.press("确认：关闭批次")
    assert officer.told() == "批次已关闭。"
    officer.keep("officer-batch-closed-zh")
    assert officer.page.get_by_role("button", name="关闭批次").count() == 0
    assert officer.wrong == []


def everything_stands_in_the_trail(supervisor: Reader, batch: str) -> None:
    supervisor.open(f"/trail?kind=batch&id={batch}")
    headings = supervisor.page.locator(".step h3").all_inner_texts()
    assert headings[0] == "批次申请"
    more = supervisor.page.locator("#timeline .more a")
    while more.count():
        supervisor.open(str(more.get_attribute("href")))
        headings += supervisor.page.locator(".step h3").all_inner_texts()
    assert {"任务通知下达", "考位编排", "考生签到", "试题抽取", "考生缺考", "批次关闭"} <= set(headings)
    supervisor.keep("supervisor-trail-of-a-batch-zh")
    assert supervisor.obstacles() == []


def test_an_application_is_rejected_by_keyboard_alone_and_another_one_withdrawn(
    reader: Come, tmp_path: Path
) -> None:
    batch, clerk = apply_for_a_batch(reader("station_director")), reader("exam_affairs")
    rejected = somebody_else_applies(clerk, batch, tmp_path, "虚构退件", 22)
    reject_by_keyboard(reader("station_reviewer"), rejected, "复印件与原件不符")
    clerk.open(f"/station/applications/{rejected}")
    assert clerk.page.locator(".state").inner_text() == "未通过"
    withdrawn = somebody_else_applies(clerk, batch, tmp_path, "虚构撤回", 23)
    clerk.fill(reason="本人放弃")
    clerk.press("撤回申请")
    clerk.press("确认：撤回申请")
    assert clerk.told() == "申请已撤回。"
    assert clerk.page.locator(".state").inner_text() == "已撤回"
    supervisor = reader("supervisor")
    for application, reason in ((rejected, "复印件与原件不符"), (withdrawn, "本人放弃")):
        for _ in range(100):
            supervisor.open(f"/trail?kind=application&id={application}")
            if reason in supervisor.page.locator("main").inner_text():
                break
        assert reason in supervisor.page.locator(".step").last.inner_text()
    assert clerk.wrong == supervisor.wrong == []


def reject_by_keyboard(reviewer: Reader, application: str, reason: str) -> None:
    """From the first page on."""
    page = reviewer.page
    reviewer.open("/")
    for target in (
        page.locator("nav.rooms").get_by_role("link", name="申请一览"),
        page.locator(f"tr#row-{application} a").first,
        page.locator("[name=reason]"),
    ):
        reviewer.tab_to(target)
        if target.evaluate("each => each.tagName") == "A":
            with page.expect_navigation():
                page.keyboard.press("Enter")
    page.keyboard.type(reason)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert reason in page.locator("main").inner_text()
    reviewer.tab_to(page.get_by_role("button", name="确认：审核不通过"))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert reviewer.told() == "审核结果已记录。"
    assert reviewer.wrong == []


# -- trainer, registrar, administrator


def test_a_trainer_records_who_was_trained(reader: Come) -> None:
    trainer = reader("trainer")
    trainer.open("/training")
    trainer.page.get_by_role("link", name="登记培训").last.click()
    trainer.page.locator("[name=trainees]").first.uncheck()
    trainer.fill(hours="16")
    trainer.press("登记培训")
    assert trainer.told() == "培训已登记。"
    assert "16" in trainer.page.locator("main tbody tr").first.inner_text()
    supervisor = reader("supervisor")
    steps = supervisor.page.locator(".step", has=supervisor.page.get_by_text("16", exact=True))
    for _ in range(100):
        supervisor.open(f"/trail?kind=actor&id={actor(Role.TRAINER)}&types=TrainingHeld")
        if steps.count():
            break
    assert steps.count() == 1
    assert trainer.wrong == []


def test_whoever_leaves_with_presses_that_are_not_sent_is_asked(reader: Come) -> None:
    invigilator = reader("invigilator")
    page = invigilator.page
    page.evaluate(
        "actor => localStorage.setItem(`jianding.unsent.${actor}`, JSON.stringify([{}]))",
        actor(Role.INVIGILATOR),
    )
    invigilator.open("/")
    assert "1" in page.locator("#unsent:visible").inner_text()
    page.locator(".drop summary").click()
    with page.expect_event("dialog") as asked:
        page.once("dialog", lambda dialog: dialog.dismiss())
        page.get_by_role("button", name="退出登录").click()
    assert "尚未上传" in asked.value.message
    invigilator.open("/day")
    assert page.locator("#unsent:visible").count() == 1
    assert invigilator.wrong == []


def test_a_page_says_when_it_is_not_brought_up_to_date_any_more(reader: Come) -> None:
    operator = reader("administrator")
    operator.open("/operating")
    stale = operator.page.locator("#stale")
    assert stale.is_hidden()
    operator.page.route("**/operating", lambda route: route.abort())
    stale.wait_for()
    assert re.search(r"[0-9]{1,2}:[0-9]{2}", stale.inner_text())
    operator.page.unroute("**/operating")
    stale.wait_for(state="hidden")


def test_a_registrar_reads_the_score_register_of_a_batch(reader: Come) -> None:
    registrar = reader("score_registrar")
    registrar.open("/results/book")
    of_the_stage = registrar.page.locator("[name=batch] option").last.get_attribute("value")
    registrar.open(f"/results/book?batch={of_the_stage}")
    assert registrar.page.locator("tbody tr").count() >= 4
    assert "已公布" in registrar.page.locator("tbody").inner_text()
    assert registrar.wrong == []


def test_an_account_is_opened_and_its_holder_changes_the_password(reader: Come) -> None:
    administrator, holder = reader("administrator"), reader()
    administrator.open("/accounts/new")
    administrator.fill(name="a-new-invigilator", password="the-first-password", role="invigilator")
    administrator.fill(body="station-10012003")
    administrator.press("开户")
    assert administrator.told() == "账户已开通。"
    assert "监考 · 鉴定所 10012003" in administrator.page.locator("main").inner_text()
    log_in(holder, "a-new-invigilator", "the-first-password")
    holder.open("/password")
    holder.fill(current="the-first-password", password="another-password-2")
    holder.press("更改密码")
    assert holder.told() == "密码已更改，请重新登录。"
    administrator.fill(role="exam_affairs", body="station-10012003")
    administrator.press("任职")
    assert administrator.told() == "任职已登记。"
    log_in(holder, "a-new-invigilator", "another-password-2")
    assert "监考" in holder.page.locator(".who summary").inner_text()
    change_and_leave(holder)
    administrator.press("免职")
    administrator.press("确认：免职")
    assert administrator.told() == "任职已终止。"
    assert administrator.wrong == holder.wrong == []


def change_and_leave(holder: Reader) -> None:
    """To the other appointment, and out."""
    page, summary = holder.page, holder.page.locator(".who summary")
    assert page.request.get("/station/applications").status == 403
    summary.click()
    with page.expect_navigation():
        page.locator(".dropped").get_by_role("button", name="考务").click()
    assert holder.told() == "已切换任职。"
    assert "考务" in summary.inner_text()
    assert page.request.get("/station/applications").status == 200
    summary.click()
    with page.expect_navigation():
        page.get_by_role("button", name="退出登录").click()
    assert page.url.endswith("/login")
    holder.open("/station/applications")
    assert "/login?next=" in page.url


def log_in(somebody: Reader, name: str, password: str) -> None:
    somebody.open("/login")
    somebody.fill(name=name, password=password)
    somebody.page.locator("main form.form button").click()
    somebody.page.wait_for_url("**/")


# -- supervision


def test_a_supervisor_verifies_the_log_and_sees_what_was_found(reader: Come) -> None:
    supervisor = reader("supervisor")
    supervisor.open("/verification")
    supervisor.press("开始核验")
    supervisor.page.locator(".verdict.good").wait_for(timeout=60_000)
    supervisor.keep("supervisor-verified-zh")
    assert supervisor.wrong == []


def test_a_verification_is_cancelled_while_it_runs(reader: Come, log: psycopg.Connection[Any]) -> None:
    supervisor = reader("supervisor")
    supervisor.open("/verification")
    with log.transaction():
        log.execute("LOCK TABLE tiles IN ACCESS EXCLUSIVE MODE")  # which it has to read to come to an end
        supervisor.press("开始核验")
        progress = supervisor.page.locator(".progress[hx-get]")
        assert "正在核验…" in progress.inner_text()
        supervisor.keep("supervisor-verifying-zh")
        supervisor.press("取消")
        assert supervisor.told() == "已请求取消。"
    supervisor.page.locator(".progress", has_text="已取消").wait_for(timeout=60_000)
    assert supervisor.page.get_by_role("button", name="取消").count() == 0
    assert supervisor.wrong == []


def test_a_verification_names_the_first_entry_that_was_altered(
    reader: Come, log: psycopg.Connection[Any]
) -> None:
    row = log.execute("SELECT index, actor FROM entries WHERE type = 'ScoreSubmitted' LIMIT 1").fetchone()
    assert row is not None
    index, honest = row
    log.execute("SET session_replication_role = replica")
    log.execute("UPDATE entries SET actor = 'somebody-else' WHERE index = %s", (index,))
    try:
        supervisor = reader("supervisor")
        supervisor.open("/verification")
        supervisor.press("开始核验")
        bad = supervisor.page.locator(".verdict.bad")
        bad.wait_for(timeout=60_000)
    finally:
        log.execute("UPDATE entries SET actor = %s WHERE index = %s", (honest, index))
    assert bad.inner_text() == f"首个有问题的条目：#{index}"
    assert f"#{index}: " in supervisor.page.locator("section.sheet li").first.inner_text()
    supervisor.keep("supervisor-altered-zh")
    assert supervisor.obstacles() == []
    assert supervisor.wrong == []


def test_a_trail_shows_before_and_after_what_was_known_when_and_why(reader: Come) -> None:
    supervisor = reader("supervisor")
    supervisor.open(
        f"/trail?kind=examiner&id={actor(Role.EXAMINER)}&types=CorrectionProposed&types=ScoreCorrected"
    )
    step = supervisor.page.locator(".step").first
    before, after = step.locator("del").inner_text(), step.locator("ins").inner_text()
    assert int(before) == int(after) + 1
    step.locator("summary").click()
    step.locator("a[href*='/trail/cause/']").click()
    supervisor.page.wait_for_selector(".step")
    supervisor.open(f"/trail?kind=examiner&id={actor(Role.EXAMINER)}&as_of=2020-01-01T00:00")
    assert supervisor.page.locator(".step").count() == 0
    assert supervisor.wrong == []


def test_a_trail_is_exported_with_its_proofs(reader: Come) -> None:
    supervisor = reader("supervisor")
    supervisor.open(f"/trail?kind=examiner&id={actor(Role.EXAMINER)}")
    with supervisor.page.expect_download() as download:
        supervisor.page.get_by_text("导出带证明的记录").click()
    bundle = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert bundle["format"] == "jianding-trail/2"
    assert bundle["entries"]


def test_a_supervisors_own_look_is_in_the_log(reader: Come) -> None:
    supervisor = reader("supervisor")
    supervisor.open("/results")
    supervisor.open("/trail?kind=station&id=10012003")
    steps = supervisor.page.locator(".step.look")
    for _ in range(100):
        supervisor.open("/lookups")
        newest = steps.locator("h3").all_inner_texts()[:2]
        if newest == ["追溯查询", "敏感查阅"]:
            return
    raise AssertionError(newest)


def test_a_live_page_shows_what_others_do_and_misses_nothing_while_its_line_is_broken(
    reader: Come, stage: str
) -> None:
    """Another person's session makes events before, while and after the stream is cut."""
    line = Proxy(int(stage.rsplit(":", 1)[1]))
    try:
        supervisor, other = (
            reader("supervisor", through=f"http://127.0.0.1:{line.port}"),
            reader("score_reviewer"),
        )
        supervisor.open("/live")
        supervisor.page.wait_for_selector("#line[data-state=open]")
        first = newest_step(supervisor)
        other.open("/results")
        before_the_break = wait_beyond(supervisor, first)
        with line.cut():
            assert line.reset() > 0
            other.open("/results")
        supervisor.page.wait_for_selector("#line[data-state=open]")
        wait_beyond(supervisor, before_the_break)
        other.open("/results")
        wait_beyond(supervisor, newest_step(supervisor))
        shown = steps_of(supervisor)
        assert shown == list(range(shown[0], shown[-1] - 1, -1))
        assert shown[0] > before_the_break + 1 > first
        supervisor.keep("supervisor-live-zh")
    finally:
        line.close()
    broken = ("ERR_CONNECTION_RESET", "htmx:sseError", "/live: [object Event]")  # what a browser says of that
    assert [each for each in supervisor.wrong if not any(word in each for word in broken)] == []


def test_without_a_script_a_live_page_is_loaded_again(browser: Browser, stage: str, reader: Come) -> None:
    kept = reader("supervisor").page.context.storage_state()
    context = browser.new_context(base_url=stage, storage_state=kept, java_script_enabled=False)
    plain = context.new_page()
    plain.goto("/live")
    before = plain.locator(".step").first.get_attribute("id")
    reader("score_reviewer").open("/results")
    for _ in range(100):
        plain.get_by_role("link", name="刷新").click()
        if plain.locator(".step").first.get_attribute("id") != before:
            break
    assert plain.locator(".step").first.get_attribute("id") != before
    context.close()


def steps_of(reader: Reader) -> list[int]:
    """The log positions on a live page, from above."""
    ids = reader.page.locator("#live .step").evaluate_all("all => all.map(each => each.id)")
    return [int(each.removeprefix("event-")) for each in ids]


def newest_step(reader: Reader) -> int:
    return steps_of(reader)[0]


def wait_beyond(reader: Reader, position: int) -> int:
    """Waits for an event behind a position; the newest then."""
    reader.page.wait_for_function(
        "position => Number(document.querySelector('#live .step').id.slice(6)) > position", arg=position
    )
    return newest_step(reader)


# -- operator and candidate


def test_an_operator_skips_repairs_and_replays_parked_events_and_rebuilds_a_projection(reader: Come) -> None:
    operator = reader("administrator")
    operator.open("/parked")
    operator.page.locator("tbody td.number a").last.click()
    operator.page.locator("form", has=operator.page.get_by_role("button", name="跳过")).locator(
        "[name=why]"
    ).fill("试验跳过")
    operator.press("跳过")
    operator.press("确认：跳过搁置事件")
    assert operator.told() == "已跳过。"
    assert operator.page.locator("main tbody tr").count() == 1
    operator.page.locator("tbody td.number a").first.click()
    operator.keep("administrator-parked-one-zh")
    why = operator.page.locator("form", has=operator.page.locator("textarea")).locator("[name=why]")
    why.fill("试验修复")
    operator.press("修复")
    assert operator.told() == "已修复；请重放。"
    operator.press("重放")
    assert operator.told() == "已重放。"
    assert operator.page.locator(".empty").count() == 1
    operator.open("/projections")
    row = operator.page.locator("tr", has_text="panels")
    with operator.page.expect_navigation():
        row.get_by_role("button", name="重建").click()
    operator.told()
    live = row.locator("td.number").first
    for _ in range(100):
        if live.inner_text() == "2":
            break
        operator.open("/projections")
    assert live.inner_text() == "2"
    assert operator.wrong == []


def test_a_candidate_sees_his_own_application_and_nobody_elses(reader: Come) -> None:
    candidate = reader("candidate")
    candidate.open("/own")
    assert candidate.page.locator("section[id^=application-]").count() == 1
    assert candidate.page.request.get("/station/applications").status == 403
    candidate.keep("candidate-own-zh")
    assert candidate.wrong == []
