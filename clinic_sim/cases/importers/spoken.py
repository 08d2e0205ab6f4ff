"""From a record's third person to a statement that stands alone, and to what the patient would say.

Rules, not a model: a reporting frame (`The patient reports that`, `患者自述`) is cut off, and the first person
is formed only where grammar makes it safe. Where it is not, the patient's own words stay open and are spoken from the
statement.
"""

from __future__ import annotations

import re

from clinic_sim.cases.importers.demographics import Speaker

_WHO = (
    r"(?:(?:the|this|her|his)\s+)?(?:patient|infant|child|newborn|baby|toddler|boy|girl|man|woman|teenager|"
    r"parents?|mother|father|"
    r"wife|husband|daughter|son|roommates?|boyfriend|girlfriend|family|caregivers?)"
    r"(?:['’]s\s+(?:mother|father|parents?|wife|husband|daughter|son|roommates?|boyfriend|girlfriend|family|"
    r"teacher|brother|sister))?"
)
_ADVERB = (
    r"(?:(?:also|currently|further|additionally|now|only|occasionally|otherwise|then|first|initially|specifically)\s+)?"
)
_FRAME_EN = re.compile(
    rf"^(?:and\s+|but\s+|additionally,?\s+|furthermore,?\s+|in addition,?\s+)?(?:(?:{_WHO}|he|she|they|"
    rf"patient)\s+{_ADVERB})?"
    r"(?:reports?|reported|states?|stated|mentions?|mentioned|notes?|noted|describes?(?![^,]*\sas\s)|"
    r"described(?!\s+(?:by|as))(?![^,]*\sas\s)|complains?\s+of|complained\s+of|"
    r"endorses?|recalls?|admits?(?:\s+to)?|indicates?|explains?|says?|adds?|acknowledges?|believes?\s+that|"
    r"(?:presents?|presented)\s+(?:to\s+the\s+[\w\s]{3,30}?\s+)?(?:with|for\s+evaluation\s+of|because\s+of|due\s+to)|"
    r"is\s+experiencing|(?:has|have)\s+been\s+experiencing|experiences?|experienced)"
    r"(?:\s+(?:that|having|experiencing|feeling(?=\s+(?:of|a))|complaints?\s+of|to\s+have|noticing))*\s+",
    re.IGNORECASE,
)
_OWN_HISTORY_EN = re.compile(
    r"^(?:(?:(?:the|this)\s+)?(?:patient|infant|child|newborn|baby|boy|girl|man|woman)|he|she|they)\s+"
    rf"{_ADVERB}(?:has|have|had)(?:\s+an?)?\s+(?=(?:\S+\s+){{0,2}}history\b)"
    r"|^(?:has|have|had)(?:\s+an?)?\s+(?=(?:\S+\s+){0,2}history\b)",
    re.IGNORECASE,
)
"""A history is the patient's only where the patient is who has it: `her mother has a history of` stays as it is."""
_FRAME_ZH = re.compile(
    r"^(?:患者|病人|患儿|病员|其)?(?:家属|家长|家人|母亲|父亲)?(?:自述|自诉|代述|代诉|主诉|诉|述|称|表示)[:：，,]?(?!说)"
    r"|^(?:患者|病人|患儿)(?=[^家及母父的])(?:于|系|缘于)?"
)
_TITLE_ZH = re.compile(r"(?:(?<=^)|(?<=[前后日天，, ]))(?:患[者儿]|病人)(?!后)")
_ANYONE_ZH = re.compile(r"患[者儿]|病人")
_DENIAL_EN = re.compile(
    r"^(?:(?:the )?(?:patient|infant|child|newborn|baby)|he|she|"
    r"they)?\s*(?:also\s+)?denie[sd]\s+(?:experiencing\s+|having\s+|any\s+|the presence of\s+|an?\s+)*(?P<what>.+)",
    re.IGNORECASE,
)

_VERBS = {
    "has": "have",
    "is": "am",
    "was": "was",
    "had": "had",
    "does": "do",
    "denies": "deny",
    "takes": "take",
    "works": "work",
    "drinks": "drink",
    "smokes": "smoke",
    "lives": "live",
    "uses": "use",
    "feels": "feel",
    "enjoys": "enjoy",
    "attends": "attend",
    "plays": "play",
    "wakes": "wake",
    "sleeps": "sleep",
    "eats": "eat",
    "exercises": "exercise",
    "consumes": "consume",
    "thinks": "think",
    "believes": "believe",
    "wants": "want",
    "worries": "worry",
    "finds": "find",
    "gets": "get",
    "goes": "go",
    "needs": "need",
    "cites": "cite",
    "attributes": "attribute",
    "experiences": "experience",
}
_SUBJECT = re.compile(
    r"^(?:the patient|patient|he|she)\s+(?P<adv>(?:also|currently|recently|previously|only|never|always|"
    r"often)\s+)?(?P<verb>\w+)\b",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"\b(?:mother|father|parents?|wife|husband|son|daughter|brother|sister|uncle|aunt|child|baby|infant|boy|"
    r"girl|teacher|"
    r"roommates?|friends?|doctor|physician|provider|partner|boyfriend|girlfriend|another player|player)\b",
    re.IGNORECASE,
)
_PRONOUNS = (
    (re.compile(r"\b(?:himself|herself)\b", re.IGNORECASE), "myself"),
    (re.compile(r"\bhis\b", re.IGNORECASE), "my"),
    (
        re.compile(
            r"\bher\b(?=\s+(?!(?:she|he|in|on|to|with|for|at|by|about|into|from|up|down|that|when|and|or|out|"
            r"off|home|as)\b)"
            r"[a-z])",
            re.IGNORECASE,
        ),
        "my",
    ),
    (re.compile(r"\b(?:him|her)\b", re.IGNORECASE), "me"),
)
_INNER_SUBJECT = re.compile(r"\b(?:he|she)\s+(\w+)", re.IGNORECASE)
_THIRD = re.compile(r"\b(?:he|she|his|her|him|himself|herself|the patient|patient)\b", re.IGNORECASE)


_BARE_VERB = re.compile(
    r"^(?P<adv>(?:also|currently|recently|occasionally|rarely|never|usually)\s+)?(?P<verb>\w+)\b", re.IGNORECASE
)
_PERSONS = re.compile(
    r"(?:\w+ly\s+|also\s+|never\s+)?(?!has\b|is\b|was\b|had\b|does\b|gets\b|needs\b|finds\b|wants\b|goes\b)\w+"
    r"|has (?:\w+ly )?(?:smoked|taken|travel\w+|immigrated|vomited|no|used|drunk|worked|lived|started|joined|"
    r"tried|quit)\b"
    r"|does not (?:smoke|drink|use|take|consume|have|recall|exercise|work|eat)\b|is (?:a|an|currently|married|"
    r"single|sexually|retired)\b",
    re.IGNORECASE,
)
"""Verbs with which the patient is the subject although none is named: `has worsened` may be said of a rash."""
_SPEAKS = re.compile(r"\bI\b|\bI['’]m\b|\bmy\b|\bme\b|[“”\"]")
"""Somebody's own words are in it: their `I` need not be the patient's."""
_NO_NOUN = re.compile(
    r"(?:taking|drinking|smoking|using|having|being|experiencing|feeling|noticing|eating|traveling|ever|that|to|"
    r"in|on|at|"
    r"with|apart|come|does|do|did|has|have|is|are|was|were)\b",
    re.IGNORECASE,
)
_FINITE = re.compile(r"^\w+(?:\s\w+)?\s(?:is|are|was|were|has|had)\b", re.IGNORECASE)
_STRAY = re.compile(
    r"^(?:describes|states|notes|reports|mentions|shows|presents|denies|attending|recalls|admits|exhibits)\b"
    r"|,\s+(?:\w+ly\s+)(?:plays|drinks|smokes|takes|eats|uses)\b|\bI (?:is|has|does|was not aware)\b|\b(?:and|"
    r"or|but|then|also)\s+(?:\w+ly\s+)?(?:has|is|does|takes|drinks|smokes|lives|works|seeks|feels|"
    r"gets|uses|notes|reports|denies|eats|sleeps|wakes|exercises|plays|enjoys|wants|thinks|believes|appears|"
    r"seems|shows|spends|watches|goes|needs|finds)\b",
    re.IGNORECASE,
)


def unframed(text: str, language: str) -> str:
    """The clause without the frame that says who reports it; unchanged where nothing would be left."""
    text = text.strip()
    if language == "zh":
        bare = _FRAME_ZH.sub("", text, count=1).lstrip("，,：: ")
        return bare if len(bare) >= 2 else text
    denial = _DENIAL_EN.match(text)
    if denial:
        return f"Denies {denial['what']}"
    for frame in (_FRAME_EN, _FRAME_EN, _OWN_HISTORY_EN):
        bare = frame.sub("", text, count=1).strip()
        if bare != text and len(bare) >= 3:
            text = bare
    return text[:1].upper() + text[1:]


def patient_words(statement: str, language: str, speaker: Speaker) -> str | None:
    """The statement in the first person, None where no rule is safe."""
    if language == "zh":
        return _words_zh(statement, speaker)
    if statement.startswith("Denies ") and not _THIRD.search(statement):
        what = re.sub(r"^(?:(?:an?|any|the)\s+)+", "", statement.removeprefix("Denies "))
        # `No drinking alcohol`, `No that it hurts`: nobody says so.
        return None if _NO_NOUN.match(what) or _FINITE.search(what) else f"No {what}"
    if speaker != "patient":
        return None
    if _OTHERS.search(statement) or _SPEAKS.search(statement):
        return None
    words = statement
    first = _BARE_VERB.match(words)
    if first and first["verb"].lower() in _VERBS and _PERSONS.match(words):
        words = f"I {first['adv'] or ''}{_VERBS[first['verb'].lower()]}{words[first.end() :]}"
        words = words[:2] + words[2:3].lower() + words[3:]
    elif not _THIRD.search(statement):
        return None
    subject = _SUBJECT.match(words)
    if subject:
        verb = _first_person(subject["verb"])
        if verb is None:
            return None
        words = f"I {subject['adv'] or ''}{verb}{words[subject.end() :]}"
    for inner in list(_INNER_SUBJECT.finditer(words)):
        verb = _first_person(inner.group(1))
        if verb is None:
            return None
        words = words.replace(inner.group(), f"I {verb}", 1)
    for pattern, form in _PRONOUNS:
        words = pattern.sub(form, words)
    if _THIRD.search(words) or _STRAY.search(words):
        # A verb of the third person left beside the first: both or none.
        return None
    words = words.replace("I am ", "I'm ", 1) if words.startswith("I am ") else words
    return words[:1].upper() + words[1:]


def _first_person(verb: str) -> str | None:
    known = _VERBS.get(verb.lower())
    if known:
        return known
    # Past tense and modal verbs have one form for all persons.
    if verb.lower().endswith("ed") or verb.lower() in {
        "can", "cannot", "could", "will", "would", "did", "went", "began", "felt", "took", "fell", "woke", "ate",
        "drank", "never", "lost", "came", "got", "saw", "heard", "left", "quit", "started", "stopped", "then", "found",
        "underwent",
    }:  # fmt: skip
        return verb.lower()
    return None


def _words_zh(statement: str, speaker: Speaker) -> str | None:
    words = statement
    words = (
        _TITLE_ZH.sub({"parent": "孩子", "patient": "我"}.get(speaker, "他"), words, count=1)
        if speaker != "relative"
        else words
    )
    if _ANYONE_ZH.search(words) and "患者" in words:
        return None
    words = re.sub(r"^否认(?:有)?", "没有", words)
    words = re.sub(r"^无(?!力|法|名|明显诱因|诱因|痛|故|意|精打采|业|症状|尿|汗|声)", "没有", words)
    return words if words != statement else None
