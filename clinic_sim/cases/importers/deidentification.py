"""Masks what could tell who the patient is: dates, names, telephone numbers, identifiers, addresses, hospitals.

The sources claim to be de-identified; this pass is a net under them, not a proof. It masks full calendar dates (a bare
year or an interval stays, for the medicine needs it), titled or labelled names and the names the record itself gives
for the patient, numbers that identify, street addresses, and hospitals by proper name. Ages above 89 become `90`.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

MONTHS = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:t(?:ember)?)?|"
    r"Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_DATE = re.compile(
    r"(?:19|20)\d{2}\s?[-/.年]\s?(?:1[0-2]|0?[1-9])\s?[-/.月]\s?(?:3[01]|[12]\d|0?[1-9])(?!\d)\s?[日号]?"
    r"|(?<!\d)(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])/(?:(?:19|20)\d{2})(?!\d)"
    rf"|\b{MONTHS}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+(?:19|20)\d{{2}}\b"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{MONTHS},?\s+(?:19|20)\d{{2}}\b"
    r"|(?<=[(（])(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?=[,，]|[)）]\s?[:：])"
)
_PHONE = re.compile(
    r"(?<!\d)1[3-9]\d{9}(?!\d)|(?<!\d)0\d{2,3}-\d{7,8}(?!\d)"
    r"|(?<!\d)(?:\+?1[-. ])?\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}(?!\d)"
)
_CONTACT = re.compile(r"[\w.+\-]{1,64}@[\w\-]{1,64}\.[\w.\-]{1,64}|https?://\S{1,300}|(?:微信|QQ)号?[:：]\s?\w{5,}")
_NUMBER = re.compile(
    r"(?<!\d)\d{17}[\dXx](?!\d)|\b\d{3}-\d{2}-\d{4}\b"
    r"|(?:住院号|病历号|病案号|门诊号|床号|身份证号?|就诊卡号|MRN|(?:[Mm]edical [Rr]ecord|[Aa]ccount) (?:[Nn]umber|"
    r"[Nn]o\.?))"
    r"\s?[:：#]?\s?[A-Za-z]?\d[\w\-]{2,}"
)
_NAME = re.compile(
    r"(?:(?<=姓名)|(?<=姓名[:：])|(?<=姓名[:：] ))[\u4e00-\u9fff·]{2,4}"
    r"|\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.?\s+[A-Z][a-z]+(?:[ \-][A-Z][a-z]+)?\b"
)
_ADDRESS = re.compile(
    r"[\u4e00-\u9fff]{2,12}?(?:路|街|大道|巷|弄|胡同)\d+(?:号|弄)(?:[\d\-]*(?:栋|幢|楼|单元|室|号))*"
    r"|[\u4e00-\u9fff]{2,8}?小区\d+(?:栋|幢|号楼)[\d\-]*(?:单元|室)*"
    r"|\b\d{1,5}\s+[A-Z]\w+(?:\s[A-Z]\w+)?\s+(?:Street|St\.|Avenue|Ave\.?|Road|Rd\.?|Boulevard|Blvd\.?|Lane|Drive)\b"
)
_HOSPITAL_EN = re.compile(
    r"\b(?:[A-Z][\w'’.]+ ){1,4}(?:Hospital|Medical Center|Clinic|Infirmary)\b(?! (?:visit|course|stay))"
)
_HOSPITAL_ZH = re.compile(r"[\u4e00-\u9fff]{2,16}?(?:医院|卫生院|保健院)")
_BEFORE_HOSPITAL = re.compile(r".*(?:就诊于|住院于|收住|转入|于|在|至|到|往|赴|入|去|经|由|因|前|后|曾|日|及|和|与|、)")
_PROPER = re.compile(
    r"省|自治|大学|附属|人民|中心|第[一二三四五六七八九十]|协和|同济|华西|湘雅|市[\u4e00-\u9fff]|[\u4e00-\u9fff]市"
)
_OLD_EN = re.compile(r"\b(?:9\d|1[01]\d)(?=[- ]years?[- ]old\b)")
_OLD_ZH = re.compile(r"(?<!\d)(?:9\d|1[01]\d)(?=周?岁)")

_MARKS = {
    "en": {
        "date": "[date]",
        "name": "[name]",
        "contact": "[contact]",
        "number": "[number]",
        "address": "[address]",
        "hospital": "[hospital]",
    },
    "zh": {
        "date": "[日期]",
        "name": "[姓名]",
        "contact": "[联系方式]",
        "number": "[编号]",
        "address": "[地址]",
        "hospital": "某医院",
    },
}


@dataclass(slots=True)
class Deidentifier:
    """Masks the texts of one record and counts what it masked."""

    language: str
    names: tuple[str, ...] = ()
    """Names that the record gives for the patient; masked wherever they stand."""
    masked: Counter[str] = field(default_factory=Counter)

    def text(self, text: str) -> str:
        """The text with identifiers masked."""
        text = self._sub("date", _DATE, text)
        text = self._sub("contact", _CONTACT, text)
        text = self._sub("number", _NUMBER, text)
        text = self._sub("contact", _PHONE, text)
        text = self._sub("name", _NAME, text)
        for name in self.names:
            if name in text:
                self.masked["name"] += text.count(name)
                text = text.replace(name, self._mark("name"))
        text = self._sub("address", _ADDRESS, text)
        text = self._sub("hospital", _HOSPITAL_EN, text)
        text = _HOSPITAL_ZH.sub(self._hospital, text)
        for old in (_OLD_EN, _OLD_ZH):
            text, count = old.subn("90", text)
            self.masked["age"] += count
        return text

    def tree(self, value: Any) -> Any:
        """A record with every string masked; keys stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {k: self.tree(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.tree(v) for v in value]
        return value

    def statement(self) -> str:
        """One sentence for the case's provenance."""
        found = ", ".join(f"{kind} {self.masked[kind]}" for kind in sorted(self.masked) if self.masked[kind])
        return (
            "De-identified at the source; on import, dates, names, contacts, identifiers, street addresses, hospital "
            f"names and ages over 89 were searched for and masked: {found or 'none found'}."
        )

    def _mark(self, kind: str) -> str:
        return _MARKS["zh" if self.language == "zh" else "en"][kind]

    def _sub(self, kind: str, pattern: re.Pattern[str], text: str) -> str:
        text, count = pattern.subn(self._mark(kind), text)
        self.masked[kind] += count
        return text

    def _hospital(self, match: re.Match[str]) -> str:
        whole = match.group()
        lead = _BEFORE_HOSPITAL.match(whole)
        head = lead.group() if lead else ""
        if not _PROPER.search(whole[len(head) :]):
            return whole
        self.masked["hospital"] += 1
        return head + self._mark("hospital")
