"""What the words of a result say about it: normal in so many words, pending, absent from the record, abnormal.

`normal` is never inferred. A result counts as normal only where every clause says so itself, or follows one that does
with nothing but negations (`Normal, no masses`); a number alone is neither normal nor abnormal.
"""

from __future__ import annotations

import re

from clinic_sim.cases.importers.base import says_nothing

_PENDING = re.compile(
    r"\b(?:pending|awaited|awaiting|not yet (?:available|back|resulted)|results? to follow)\b|^expected to show\b"
    r"|待(?:结果|回报|回|查|报)|结果未(?:回|出|归)|尚未回报|未回报|送检中|待检",
    re.IGNORECASE,
)
_UNDONE = re.compile(
    r"^(?:optional\b|can be considered|could be considered|may be considered|consider\b|not (?:necessary|"
    r"typically|required|"
    r"needed|routinely|done|performed)\b)|\bcould be considered\b|\bif (?:performed|indicated|clinical suspicion)\b"
    r"|\bbut imagine\b|\bnot (?:specified|provided) in (?:this|the) scenario\b|^(?:建议|可考虑|必要时|未做|未行|拒绝)",
    re.IGNORECASE,
)
_NORMAL = re.compile(
    r"\b(?:normal(?:ly)?|normothermic|normotensive|unremarkable|negative|intact|nonreactive|non-reactive|not detected|"
    r"no (?:other |significant |acute |visible |overt |gross |obvious |focal )*(?:abnormalit(?:y|ies)|"
    r"abnormal findings?|"
    r"findings?(?: of note)?|deficits?)|"
    r"within (?:the )?(?:normal|reference) (?:limits?|range)|clear to auscultation|wnl|unaffected)\b"
    r"|正常|无异常|未见(?:明显|显著)?异常|未(?:见|及|发现)(?:明显|显著)?(?:异常|畸形)|阴性|[(（][-－—]+[)）]",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"^(?:and |or |but |with |there (?:is|are|was|were) )?(?:no|not|without|denies|nor|non-?[a-z]+|absence of|"
    r"negative|free of)\b"
    r"|^(?:无|未|不|没有|否认|非)|(?:无|未见|未及|未闻及|未触及|未引出|未扪及|不(?:大|肿|红|充血))",
    re.IGNORECASE,
)
_ABNORMAL = re.compile(
    r"\b(?:elevated|increased|decreased|reduced|diminished|abnormal|positive|high|low|prolonged|enlarged|dilated|deficient|"
    r"above|below|raised|absent|markedly|mild(?:ly)?|moderate(?:ly)?|severe(?:ly)?|slight(?:ly)?|suggest\w*|"
    r"consistent with|"
    r"indicat\w+|"
    r"confirm\w*|compatible|except|however|but|although|lesions?|mass|tender\w*|swell\w*|swollen|present)\b"
    r"|大于|高于|低于|超过|升高|增高|降低|减低|减少|增多|增大|阳性|异常(?!的)|可见|提示|考虑|压痛|肿大|\(\+|（\+|稍|轻度|中度|重度",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[.;；。,，、\n]+")


def is_pending(text: str) -> bool:
    """The result is awaited."""
    return bool(_PENDING.search(text.strip()))


def is_absent(text: str) -> bool:
    """The field holds no result: a placeholder, or a remark on what could be done."""
    return not is_pending(text) and (says_nothing(text) or bool(_UNDONE.search(text.strip())))


def is_normal(text: str) -> bool:
    """The record says in so many words that the result is normal."""
    clauses = [c.strip() for c in _CLAUSE.split(text) if c.strip()]
    if not clauses:
        return False
    said = False
    for clause in clauses:
        if _NORMAL.search(clause) and not _says_abnormal(clause):
            said = True
        elif not (said and _NEGATED.search(clause) and not _says_abnormal(clause)):
            return False
    return said


def is_unremarkable(text: str) -> bool:
    """Every clause is normal or a negation: nothing was found."""
    clauses = [c.strip() for c in _CLAUSE.split(text) if c.strip()]
    return bool(clauses) and all(
        (_NORMAL.search(c) or _NEGATED.search(c) or (n and c.startswith(("or ", "and ")))) and not _says_abnormal(c)
        for n, c in enumerate(clauses)
    )


def is_abnormal(text: str) -> bool:
    """Some clause of the result states a finding that is not negated."""
    return any(_says_abnormal(c) for c in _CLAUSE.split(text) if c.strip())


def _says_abnormal(clause: str) -> bool:
    bare = _NORMAL.sub(" ", clause)
    if not _ABNORMAL.search(bare):
        return False
    return not _NEGATED.search(clause.strip())
