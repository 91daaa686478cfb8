"""What the verifier says, in both languages."""

from base64 import b64encode
from collections.abc import Mapping

_SHOWN = 200  # characters of a value that somebody else chose


class Fault(Exception):
    """Something is not as it should be: a sentence of the catalogue and what stands in its gaps."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values

    @property
    def english(self) -> str:
        return self._in(0)

    @property
    def chinese(self) -> str:
        return self._in(1)

    def _in(self, language: int) -> str:
        values = {name: _spoken(value, language) for name, value in self.values.items()}
        return SENTENCES[self.code][language].format_map(values)

    # made anew from the catalogue when it comes from another process
    def __reduce__(self) -> tuple[object, ...]:
        return _made, (self.code, self.values)


def _made(code: str, values: dict[str, object]) -> Fault:
    return Fault(code, **values)


def _spoken(value: object, language: int) -> str:
    if isinstance(value, Fault):
        return value._in(language)
    return shown(value)


def shown(value: object) -> str:
    """A value for a screen: short, and without anything that a terminal would obey."""
    text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
    cut = text[:_SHOWN] + "…" if len(text) > _SHOWN else text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in cut)


def base64(value: bytes) -> str:
    """Standard base64 with padding."""
    return b64encode(value).decode()


SENTENCES: Mapping[str, tuple[str, str]] = {
    # files
    "file": ("{file}: {why}", "{file}：{why}"),
    "not_a_file": ("this is not a regular file", "不是普通文件"),
    "too_long": ("longer than the {limit} bytes that it may have", "超过允许的 {limit} 字节"),
    "not_opened": ("cannot be read ({why})", "无法读取（{why}）"),
    "no_file": ("there is no such file", "没有这个文件"),
    "unforeseen": ("cannot be made sense of ({why})", "无法理解（{why}）"),
    # notes and keys
    "note_utf8": ("a note has to be UTF-8 text", "签名文本必须是 UTF-8"),
    "note_control": ("a note has no control characters but line ends", "签名文本只允许换行这一种控制字符"),
    "note_blank": (
        "a note ends with an empty line and signature lines",
        "签名文本须以空行加签名行结尾",
    ),
    "note_line": ("line {line} is not a signature line", "第 {line} 行不是签名行"),
    "note_many": ("more than {limit} signatures", "签名多于 {limit} 个"),
    "vkey": ("this is not a verifier key: {key}", "不是验证公钥：{key}"),
    "vkey_id": ("the key id is not that of the name and key: {key}", "公钥编号与名称、公钥不符：{key}"),
    "vkey_kind": (
        "a {role} key has signature type {wanted}, and this one has another: {key}",
        "{role} 公钥的签名类型应为 {wanted}：{key}",
    ),
    "checkpoint": ("the checkpoint is malformed: {why}", "检查点格式不对：{why}"),
    "checkpoint_lines": ("origin, size and root are needed", "缺少来源、大小或根哈希"),
    "checkpoint_size": ("the size is not a decimal number", "大小不是十进制数"),
    "checkpoint_root": ("the root is not a hash in base64", "根哈希不是 base64 编码的哈希"),
    "head": ("subject head {place} is malformed: {why}", "第 {place} 个对象头格式不对：{why}"),
    "head_lines": (
        "origin/subject, the subject, the size, and a number with an index are needed",
        "缺少来源、对象、大小或条数与序号",
    ),
    "head_numbers": ("its numbers contradict each other", "其中数字自相矛盾"),
    # policy
    "policy": ("the policy is not valid: {why}", "策略文件无效：{why}"),
    "policy_line": ("line {line}: {why}", "第 {line} 行：{why}"),
    "policy_bytes": ("a control character", "含控制字符"),
    "policy_keyword": (
        "not one of log, witness, group, quorum: {word}",
        "不是 log、witness、group、quorum：{word}",
    ),
    "policy_items": ("too few or too many items for `{word}`", "`{word}` 的项数不对"),
    "policy_many": ("more than {limit} of `{word}`", "`{word}` 多于 {limit} 个"),
    "policy_key_twice": ("this public key stands on an earlier line: {key}", "公钥重复：{key}"),
    "policy_name_taken": ("this name is taken: {name}", "名称已被占用：{name}"),
    "policy_name_unknown": ("no earlier line defines {name}", "前面没有定义 {name}"),
    "policy_member_twice": ("{name} is a member already", "{name} 已是某组成员"),
    "policy_threshold": (
        "the threshold has to be any, all or 1 to {members}",
        "门槛应为 any、all 或 1 至 {members}",
    ),
    "policy_quorum": ("exactly one quorum line is needed", "必须恰有一行 quorum"),
    # signatures
    "unsigned": (
        "no log key of the policy for {origin} has signed the checkpoint; is it this log's policy, and does"
        " it know the key of that time (retired-log)?",
        "策略中没有 {origin} 的日志公钥签署此检查点；"
        "策略是否属于这个日志，是否载有当时的密钥（retired-log）？",
    ),
    "signature_wrong": ("the signature of {key} is not one over this text", "{key} 的签名与文本不符"),
    "future": (
        "the cosignature of {key} is from the future ({time}) and does not count",
        "{key} 的会签时间在未来（{time}），不计入",
    ),
    "quorum": ("the quorum {name} has not cosigned", "未达到会签法定数 {name}"),
    "old": (
        "not within the last {hours} hours has the quorum said that this is the newest tree",
        "最近 {hours} 小时内没有达到法定数的会签",
    ),
    "head_unsigned": (
        "subject head {subject}: no log key has signed it",
        "对象头 {subject}：没有日志公钥的签名",
    ),
    "head_origin": ("subject head {subject}: it is of another log", "对象头 {subject}：属于别的日志"),
    "head_size": (
        "subject head {subject}: it is of size {found}, and the checkpoint of {size}",
        "对象头 {subject}：大小 {found} 与检查点 {size} 不同",
    ),
    "head_twice": ("subject head {subject}: there are two", "对象头 {subject}：重复"),
    # tree and tiles
    "leaf_differs": ("the entry is not the one whose hash the tree has", "条目与树中的哈希不符"),
    "tile_differs": (
        "{file}: its hash of entries {first} to {last} is not theirs",
        "{file}：条目 {first} 至 {last} 的哈希不符",
    ),
    "tile_missing": ("{file} is missing", "缺少 {file}"),
    "tile_short": ("{file} ends too early", "{file} 不完整"),
    "tile_long": ("{file} has more than belongs into it", "{file} 有多余内容"),
    "root_differs": ("the tree does not have the signed root", "树的根哈希与签名的不符"),
    "stopped": (
        "so many files are missing that the rest was not looked at",
        "缺少的文件过多，其余未再检查",
    ),
    # leaves
    "leaf_long": ("the entry is longer than 65,535 bytes", "条目超过 65,535 字节"),
    "leaf_lines": ("the entry has not two lines", "条目不是两行"),
    "json": ("the {part} is not JSON", "{part} 不是 JSON"),
    "spelling": ("the {part} is not in its canonical spelling", "{part} 不是规范写法"),
    "number": ("the {part} has a number that is not whole or beyond 2^53", "{part} 含小数或超出 2^53 的数"),
    "key": ("the {part} has a key beyond the Basic Multilingual Plane", "{part} 含基本多文种平面以外的键"),
    "attribute": ("the event's {name} is missing or malformed", "事件的 {name} 缺失或格式不对"),
    "refs": (
        "the event's refs are not kind:id, separated by single spaces",
        "事件的 refs 不是以单个空格分隔的 类别:编号",
    ),
    "note": ("audit's note is not links and received", "审计附注不是 links 与 received"),
    "links_count": ("{found} links for {wanted} subjects", "{wanted} 个对象却有 {found} 个链接"),
    "link": (
        "{subject}: the link is {found} and should be {wanted}",
        "{subject}：链接为 {found}，应为 {wanted}",
    ),
    "link_shape": ("{subject}: the link {found} contradicts itself", "{subject}：链接 {found} 自相矛盾"),
    "position": ("{source}: position {found} follows {before}", "{source}：序号 {before} 之后是 {found}"),
    "chain": (
        "{source}: entry {later} contains the hash of another event than entry {earlier}",
        "{source}：条目 {later} 所含哈希不是条目 {earlier} 的",
    ),
    "genesis": (
        "{source}: its first event contains the hash of an earlier one",
        "{source}：首个事件却含有前一事件的哈希",
    ),
    "id_twice": ("an earlier entry has the same event id: {id}", "事件编号重复：{id}"),
    # bundles
    "bundle": ("the bundle is malformed: {why}", "轨迹包格式不对：{why}"),
    "bundle_json": ("not JSON of a depth that is allowed", "不是 JSON，或嵌套过深"),
    "bundle_keys": (
        "format, about, checkpoint, heads and entries are needed, and nothing else",
        "须有且仅有 format、about、checkpoint、heads、entries",
    ),
    "bundle_format": (
        "not the format jianding-trail/2, nor the older /1",
        "格式不是 jianding-trail/2 或旧的 /1",
    ),
    "bundle_about": ("it does not say, as kind:id, what it is about", "未以 类别:编号 说明所关对象"),
    "bundle_entry": (
        "entry {place} is not an index, a leaf and a proof",
        "第 {place} 个条目不是序号、叶子与证明",
    ),
    "bundle_order": ("the entries do not ascend by index", "条目未按序号递增"),
    "bundle_many": ("more than {limit} {what}", "{what} 多于 {limit}"),
    "beyond": ("the tree of {size} entries has no such index", "{size} 条的树中没有这个序号"),
    "proof": (
        "the proof does not lead from the entry to the signed root",
        "证明不能从条目推到签名的根哈希",
    ),
    "trail_nobody": ("no subject head: the bundle speaks of nobody", "没有对象头，轨迹包不涉及任何对象"),
    "trail_headless": (
        "{about}: its trail is that of {subject} too, and no subject head speaks of it",
        "{about}：其全程记录也包括 {subject}，而没有它的对象头",
    ),
    "trail_missing": (
        "{subject}: the entry is missing, number {number} of {count}",
        "{subject}：缺少该条目（共 {count} 条中的第 {number} 条）",
    ),
    "trail_unlinked": (
        "{subject}: the entry is none of those that the head leads to",
        "{subject}：该条目不在对象头引出的链上",
    ),
    "trail_number": (
        "{subject}: the entry says it is number {found}, and the head leads to it as {wanted}",
        "{subject}：该条目自称第 {found} 条，按对象头应为第 {wanted} 条",
    ),
    "trail_stray": ("no head speaks of a subject of this entry", "没有对象头涉及该条目的对象"),
    # closed batches
    "batch_other": (
        "{source}: up to {upto} it states {stated} events of a closed batch, which are not the {found}"
        " that the log has",
        "{source}：至 {upto} 止，声明已关闭批次有 {stated} 条事件，与日志中的 {found} 条不符",
    ),
    "batch_nothing": ("an impossible number of", "数目不成立的"),
    "batch_late": (
        "{source}: the entry names a batch that was closed at position {upto}",
        "{source}：该条目涉及已在序号 {upto} 关闭的批次",
    ),
    "batch_silent": (
        "{source}: it has stated nothing of batch {batch}, which was closed here",
        "{source}：对在此关闭的批次 {batch} 未作声明",
    ),
    # notes to the reader
    "trail_about": (
        "it says itself that it is about {about}, of which it covers what is among the first {size} entries;"
        " if you were promised the trail of something else, ask with --about kind:id",
        "该包自称关于 {about}，只涵盖前 {size} 条中与之有关的条目；"
        "若约定的是别的对象，请用 --about 类别:编号 核验",
    ),
    "trail_unsaid": (
        "of an older format, it does not say what it is about: only the subjects below are covered;"
        " ask with --about kind:id for what you were promised",
        "旧格式未说明所关对象：只涵盖下列对象；请用 --about 类别:编号 核验所约定的对象",
    ),
    "own_policy": (
        "the policy is the folder's own: from the same hands, it proves nothing against them;"
        " give --policy a file from elsewhere",
        "所用策略出自同一文件夹：同出一手，不能用来证明其清白；请用 --policy 给出另行取得的策略",
    ),
    "retired": (
        "signed by {key}, which the log has given up since: the policy lets it count up to the size"
        " that the log had then",
        "由 {key} 签署，日志此后已停用该密钥；策略只承认它在当时日志大小以内的签名",
    ),
    "no_witness": ("this policy asks for no witness", "此策略不要求见证人"),
    "extensions": ("the checkpoint has extension lines, which nobody audits", "检查点含扩展行，无人审计"),
    "clock_back": (
        "the receiving clock stepped back {count} times, first at index {index}",
        "接收时钟回拨 {count} 次，首次在序号 {index}",
    ),
    "clock_early": (
        "{count} entries say they were received before their source recorded them, first index {index}",
        "{count} 个条目的接收时间早于来源的记录时间，首个序号 {index}",
    ),
    "unrecordable": (
        "{count} events could not be recorded: an entry with their hash stands in for each, first at index"
        " {index}; the log keeps what came as evidence",
        "{count} 个事件无法入册，各由一个载有其哈希的条目代替，首个在序号 {index}；原文存于证据",
    ),
    "cancelled": ("cancelled", "已取消"),
}
