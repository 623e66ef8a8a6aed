"""A title for each code that the API answers with, in the reader's language.

Codes are stable and for programs; titles are for the person who reads a log.
"""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TITLES: Final[dict[str, Promise]] = {
    # the request itself
    "json-malformed": _("请求正文不是有效的 JSON"),
    "json-not-utf8": _("请求正文不是 UTF-8 编码"),
    "json-too-deep": _("JSON 嵌套超过 32 层"),
    "json-duplicate-name": _("JSON 对象里有重复的名称"),
    "json-constant": _("JSON 里不允许 NaN 和 Infinity"),
    "json-number": _("JSON 里的数字过长"),
    "json-nul": _("文字里有 NUL 字符"),
    "json-surrogate": _("文字里有不成对的代理字符"),
    "request-invalid": _("请求内容不符合要求"),
    "idempotency-key-missing": _("缺少 Idempotency-Key 请求头，或其格式不对"),
    "body-too-large": _("请求正文过大"),
    "media-type-unsupported": _("不支持这种内容类型"),
    "method-not-allowed": _("这个地址不支持这种方法"),
    "throttled": _("请求过于频繁"),
    "https-required": _("接口只接受 HTTPS 请求"),
    # who asks
    "api-key-missing": _("需要接口密钥"),
    "api-key-refused": _("接口密钥无效、已过期或已撤销"),
    "scope-missing": _("密钥没有所需的权限"),
    "forbidden": _("无权做这件事"),
    "second-factor-required": _("密钥所代表的人须启用第二重验证"),
    "institution-suspended": _("机构的记录权限已暂停"),
    "outside-scope": _("机构目前不能记录这类成果"),
    "own-key-stream": _("机构自持密钥，请用签名报送"),
    # what is not there
    "not-found": _("没有这个内容"),
    "unknown-entry": _("登记簿里没有这个序号"),
    "unknown-stream": _("没有这个序列"),
    "unknown-institution": _("没有这家机构"),
    "checkpoint-missing": _("没有公布过这个大小的检查点"),
    "person-forgotten": _("登记簿已不再保存此人的信息"),
    # recording
    "rows-refused": _("有的行不能存入，全部未存入"),
    "submission-refused": _("报送里有不能接受的行，全部未存入"),
    "submission-malformed": _("报送的格式不对"),
    "submission-too-large": _("报送过大"),
    "submission-stream": _("报送属于另一个序列"),
    "too-many-rows": _("行数过多"),
    "no-rows": _("没有可存入的行"),
    "nothing-new": _("这些成果学分银行都已有"),
    "duplicate-outcome": _("学分银行已有其中的成果"),
    "idempotency-key-reused": _("同一个 Idempotency-Key 曾用于另一个请求"),
    "stream-gap": _("报送的序号之前有缺"),
    "stream-forked": _("这个序号已用于另一份清单，两份都已留作证据"),
    "stale-previous-root": _("清单没有接在上一份清单之后"),
    "stream-mode": _("这个序列不接受这种报送"),
    "stream-closed": _("这个序列已关闭"),
    "key-not-in-force": _("清单不是用有效的密钥签名的"),
    "acts-on-invalid": _("所指的记录不能这样更改"),
    "account-overdrawn": _("账户余额会低于零"),
    "draft-not-open": _("这份草稿已处理"),
    # rules and programmes
    "unknown-rule": _("没有这条规则，或没有这个版本"),
    "unknown-programme": _("没有这个专业，或没有这个版本"),
    "unknown-simulation": _("没有这次模拟"),
    "nothing-to-simulate": _("没有可以模拟的"),
    "document-refused": _("文件有问题，什么也没有保存或公布"),
    "version-exists": _("已有这个编码的这个版本"),
    "version-not-draft": _("这个版本已不是草稿"),
    "version-not-filed": _("这个版本还没有备案"),
    "publication-underway": _("这个版本正在公布"),
    "withdrawal-invalid": _("撤回须写明原因，且不能从过去的日子起"),
    "same-person": _("须由另一个人复核"),
    "person-unknown": _("尚未核对身份证件，不能计为双人复核"),
    # recognition
    "request-refused": _("申请不能提交，全部问题见 problems"),
    "request-not-open": _("申请已办结或已撤回"),
    "not-automatic": _("没有可以请人再看的自动决定"),
    "verdicts-refused": _("认定意见不能采用，全部问题见 problems"),
    "fact-refused": _("没有规则要求核实这项事实，或没有写明结果"),
    "nothing-to-judge": _("这条规则不需要判断"),
    "decision-not-open": _("决定不在等待同意"),
    "case-changed": _("提出之后规则或成果有了变化，请重新提出"),
    "stage-not-yours": _("目前不在由您审核的阶段"),
    "expert-needed": _("评审组还缺行业专家"),
    "decision-not-flagged": _("决定所依据的成果均有效"),
    "appeal-refused": _("复议不能提交，全部问题见 problems"),
    "appeal-not-open": _("复议已办结或已撤回"),
    "text-missing": _("须写明理由"),
    "file-refused": _("附件过大，或不是 PDF、PNG、JPEG"),
    "pre-approval-refused": _("预认定不能作出，全部问题见 problems"),
    "pre-approval-not-open": _("预认定已办结或已撤回"),
    "own-award": _("不能为自己办理"),
    # transcripts
    "nothing-to-certify": _("没有可以出具证明的成果"),
    "unknown-lines": _("所选的记录不是本人有效的成果"),
    "transcript-not-ready": _("学分证明尚未制成"),
    "transcript-at-work": _("另一份学分证明正在制作"),
    "file-empty": _("没有收到文件"),
    # the log
    "sizes-invalid": _("两个大小之间没有一致性证明"),
    "beyond-log": _("超出已公布的登记簿"),
    "not-yet-published": _("已登记，尚待公布"),
    # ourselves
    "ledger-read-only": _("登记簿暂时只读，什么也没有存入，请稍后再试"),
    "signer-unavailable": _("签名服务暂时不可用，请稍后再试"),
    "service-unavailable": _("服务暂时不可用，请稍后再试"),
    "internal-error": _("系统出错，请凭事件编号联系我们"),
}

BY_STATUS: Final[dict[int, Promise]] = {
    400: _("请求有误"),
    401: _("需要接口密钥"),
    403: _("无权做这件事"),
    404: _("没有这个内容"),
    409: _("与现有内容冲突"),
    410: _("内容已不再保存"),
    413: _("请求正文过大"),
    415: _("不支持这种内容类型"),
    422: _("请求内容不符合要求"),
    429: _("请求过于频繁"),
    500: _("系统出错，请凭事件编号联系我们"),
    503: _("服务暂时不可用，请稍后再试"),
}


def title(code: str, status: int) -> str:
    """Return the title of a code, or that of its status where the code has none."""
    return str(TITLES.get(code) or BY_STATUS.get(status, BY_STATUS[400]))
