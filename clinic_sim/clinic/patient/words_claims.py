"""What words claim about the patient, held against the facts: inventions, facts told unchosen, and facts turned round."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.clinic.patient.words_disclosure import _GENERAL, Found, in_words
from clinic_sim.clinic.patient.words_leaks import reference_of
from clinic_sim.clinic.patient.words_lexicon import CLAIM, contrast
from clinic_sim.clinic.patient.words_profile import Heard, Profile, name_of, negative
from clinic_sim.clinic.patient.words_quantities import Quantity, same
from clinic_sim.clinic.patient.words_text import Mode
from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.scan import Mention

_SOFT = re.compile(
    r"\b(?:when|if|at night|now|at the moment|any ?more|until|till|before|after|always|all the time|every|like this|like that|this bad|"
    r"as bad|so far|yet|at first|usually|again|other|else|worse|better|right now|lately|today|for a while)\b"
    r"|时|现在|以前|之前|后来|一直|总是|这么|那么|这样|每|刚开始|别的|其他|再|更|好转"
)
_FORMERLY = re.compile(r"\b(?:used to|years ago|when i was|in the past|once)\b|以前|曾经|小时候|年轻时")
_SYSTEM = "system"
_BLAND = frozenset({"sx.unwell", "sx.general", "sx.psych", "sx.concentration", "sx.behavior", "sx.peers", "sx.speech", "sx.tooth_problem"})
_EMOTION = re.compile(r"worr|nervous|scared|afraid|anxious|stress|frighten|upset|担心|紧张|害怕|着急|焦虑|发愁|心事")
_BY_EMOTION = frozenset({"sx.insomnia", "sx.tremor", "sx.sweating", "sx.irritable", "sx.anxiety", "sx.depressed", "sx.palpitations"})


def claims(
    compiled: CompiledCase, profile: Profile, heard: Heard, allowed: int, chosen: int, asked: Heard | None
) -> Iterator[Found]:
    """Every claim that the allowed facts do not hold."""
    yield from _concepts(profile, heard, allowed, asked)
    yield from _sites(profile, heard, allowed, asked)
    yield from _values(profile, heard, allowed, chosen)
    yield from _numbers(compiled, profile, heard, allowed, asked)


def _echoed(asked: Heard | None, id_: str) -> bool:
    return asked is not None and any(name_of(m.id) == id_ or id_ in _closure(name_of(m.id)) or name_of(m.id) in _closure(id_) for m in asked.mentions)


def _closure(id_: str) -> frozenset[str]:
    known = ontology()
    return known.closure(id_) if id_ in known.concepts else frozenset({id_})


def _checked(id_: str) -> bool:
    return (id_.startswith(("sx.", "drug.", "dx.")) and id_ not in _BLAND) or id_.startswith(CLAIM)


def _concepts(profile: Profile, heard: Heard, allowed: int, asked: Heard | None) -> Iterator[Found]:
    known = ontology()
    speech = heard.speech
    by_span: dict[tuple[int, int], list[Mention]] = {}
    for mention in heard.mentions:
        if _checked(mention.id) or negative(mention, heard.speech.folded):
            by_span.setdefault((mention.start, mention.end), []).append(mention)
    for (start, end), named in by_span.items():
        mode = speech.mode(start)
        if mode is Mode.WISHES or mode is Mode.UNSURE:
            continue
        verdicts = []
        for mention in named:
            id_ = name_of(mention.id)
            if id_ in known.concepts and known.concepts[id_].kind == _SYSTEM:
                continue
            if mode is Mode.ASKS and _echoed(asked, id_):
                continue
            denied = speech.denied(start, end) or negative(mention, speech.folded)
            if id_.startswith("dx."):
                # Whether a disease may be named at all is the business of disclosure; here is only what is said of it.
                if _turned(profile, id_, allowed, denied):
                    verdicts.append("contradiction")
                continue
            if denied and id_.startswith("drug.") and profile.exact_absent.get("hx.medication", 0) & allowed:
                continue
            verdicts.append(_verdict(profile, mention, heard, allowed, denied))
        if not verdicts or None in verdicts:
            continue
        stretch = speech.stretch_text(start)
        if all(name_of(m.id) in _BY_EMOTION for m in named) and _EMOTION.search(stretch):
            continue
        # Of several readings of the same words the mildest counts.
        kind = next((k for k in ("unchosen", "invention", "contradiction") if k in verdicts), "invention")
        yield kind, speech.text[start:end]


def _turned(profile: Profile, id_: str, allowed: int, denied: bool) -> bool:
    """Whether the facts have a disease that is denied, or deny one that is claimed."""
    if id_ in _GENERAL:
        return False
    has = (profile.exact_present.get(id_, 0) & ~profile.family) & allowed
    lacks = 0
    for above in ontology().ancestors(id_):
        lacks |= profile.exact_absent.get(above, 0)
    lacks &= allowed & ~profile.family
    return bool(has and not lacks) if denied else bool(lacks and not has and not profile.family & allowed)


def _verdict(profile: Profile, mention: Mention, heard: Heard, allowed: int, denied: bool) -> str | None:
    known = ontology()
    id_ = name_of(mention.id)
    speech = heard.speech
    present, absent = profile.present.get(id_, 0), profile.absent.get(id_, 0)
    kinds = ("hx.",) if id_.startswith("hx.") else ("sx.", "dx.", "drug.")
    over = [a for a in known.ancestors(id_)[1:] if a.startswith(kinds)] if id_ in known.concepts else []
    for above in over:
        if known.concepts[above].kind == _SYSTEM or above in _BLAND:
            continue
        if _sites_known(profile, id_, above, allowed) and not _bloody(id_, above):
            present |= profile.exact_present.get(above, 0)
        absent |= profile.exact_absent.get(above, 0)
    about = profile.about.get(id_, 0)
    opposite = _OPPOSITES.get(id_)
    if opposite is not None and not denied and profile.exact_present.get(opposite, 0) & allowed and not about & allowed:
        return "contradiction"
    words = speech.folded[mention.start : mention.end]
    if denied:
        if (absent | profile.exact_absent.get(id_, 0)) & allowed:
            return None
        if profile.present.get(id_, 0) & allowed and id_.startswith(("sx.", "hx.")):
            if _SOFT.search(_without(speech.stretch_text(mention.start), words)):
                return None
            return "contradiction"
        if about & allowed or in_words(profile, words, allowed):
            return None
        return "unchosen" if (present | absent | about) else "invention"
    if present & allowed:
        return None
    if absent & allowed and profile.exact_absent.get(id_, 0) | profile.absent.get(id_, 0):
        if id_.startswith(("sx.", "hx.")) and not _FORMERLY.search(speech.stretch_text(mention.start)):
            return "contradiction"
        return None
    if about & allowed or in_words(profile, words, allowed) or _kin(profile, id_, allowed):
        return None
    return "unchosen" if (present | absent | about) else "invention"


_GROUPS: tuple[frozenset[str], ...] = tuple(
    frozenset(f"sx.{name}" for name in names.split())
    for names in (
        "rash ulcer lump redness dry_skin acne skin_color swelling",
        "weakness fatigue limb_weakness muscle_weakness paralysis hemiparesis movement_limit gait",
        "dizziness vertigo blackout_vision gait",
        "dyspnea exertional_dyspnea orthopnea pnd tachypnea chest_tightness",
        "chest_pain chest_tightness tightness pleuritic",
        "depressed anhedonia irritable withdrawal guilt behavior",
        "anxiety panic irritable",
        "heartburn burning epigastric_pain",
        "bloating early_satiety gas",
        "frequency polyuria nocturia urgency",
        "hesitancy retention oliguria",
        "urine_color hematuria",
        "blurred vision vision_loss",
        "confusion memory_loss concentration sleepy speech",
        "seizure involuntary tremor behavior",
        "edema swelling leg_swelling face_swelling bloating",
        "runny_nose nasal_congestion sneezing",
        "fever fever_like warmth",
        "pain cramp burning stiffness",
        "sore_throat hoarseness dysphagia",
        "nausea poor_appetite early_satiety",
        "stiffness morning_stiffness movement_limit",
        "numbness numb_limb sensory",
        "bowel_change diarrhea constipation tenesmus mucus_stool",
        "lymphadenopathy neck_lump lump swelling",
        "menorrhagia vaginal_bleeding blood_clots irregular_menses",
        "fall head_injury injury syncope",
        "insomnia nightmares sleepy",
        "joint_pain joint_swelling stiffness morning_stiffness",
        "eye_redness itchy_eyes tearing eye_discharge",
    )
)
"""Findings that people put in one another's words."""


@cache
def _like(id_: str) -> tuple[str, ...]:
    """The findings that may be meant by a word for this one."""
    return tuple(dict.fromkeys(other for group in _GROUPS if id_ in group for other in sorted(group) if other != id_))


def _bloody(id_: str, above: str) -> bool:
    """Whether a finding is more than a known one by blood: to vomit blood is not to vomit."""
    known = ontology()
    return "sx.bleeding" in known.closure(id_) and "sx.bleeding" not in known.closure(above)


def _kin(profile: Profile, id_: str, allowed: int) -> bool:
    """Whether an allowed finding is another kind of the same, at no other place: paralysis and weakness of a side.

    So is the function that is not well where nothing says that it is: 睡眠不佳 and 睡不着.
    """
    known = ontology()
    if id_ not in known.concepts:
        return False
    if any(profile.exact_present.get(other, 0) & allowed for other in _like(id_)):
        return True
    if known.sited(id_):
        sites = [p for p in known.concepts[id_].parents if p.startswith("site.")]
        return bool(sites) and all(profile.about.get(s, 0) & allowed for s in sites) and any(
            profile.exact_present.get(other, 0) & allowed
            for parent in known.concepts[id_].parents
            if parent.startswith("sx.") and known.concepts[parent].kind == "finding"
            for other in (parent, *_like(parent))
        )
    for parent in known.concepts[id_].parents:
        if parent.startswith("hx."):
            if profile.exact_present.get(parent, 0) & allowed & ~profile.normal:
                return True
        elif (
            parent.startswith("sx.")
            and known.concepts[parent].kind == "finding"
            and parent not in _WIDE
            and profile.present.get(parent, 0) & allowed
            and not _bloody(id_, parent)
        ):
            return True
    return False


_WIDE = frozenset(
    {"sx.pain", "sx.swelling", "sx.lump", "sx.bleeding", "sx.discharge", "sx.itch", "sx.ulcer", "sx.redness"}
)
_OPPOSITES = {
    this: that
    for one, other in (
        ("sx.weight_gain", "sx.weight_loss"),
        ("sx.diarrhea", "sx.constipation"),
        ("sx.heat_intolerance", "sx.cold_intolerance"),
        ("sx.insomnia", "sx.sleepy"),
        ("sx.poor_appetite", "sx.increased_appetite"),
        ("sx.polyuria", "sx.oliguria"),
        ("sx.menorrhagia", "sx.amenorrhea"),
    )
    for this, that in ((one, other), (other, one))
}


def _sites_known(profile: Profile, id_: str, above: str, allowed: int) -> bool:
    """Whether the places that make a finding more special than a known one are known too."""
    known = ontology()
    extra = [s for s in known.closure(id_) if s.startswith("site.") and s not in known.closure(above)]
    if not extra:
        return True
    own = [s for s in known.concepts[id_].parents if s.startswith("site.")] or extra
    return any(profile.about.get(s, 0) & allowed for s in own)


_BODILY = re.compile(r"hurt|pain|ache|sore|numb|swoll|swell|itch|burn|stiff|weak|spread|goes|went|move|travel|shoot|cramp|tingl|throb|feel|疼|痛|麻|肿|痒|酸|胀|窜|放射|僵|难受|不舒服|抽")
_BACK = re.compile(r"(?:my|his|her|the|your|lower|upper|mid|middle|whole) $")


def _sites(profile: Profile, heard: Heard, allowed: int, asked: Heard | None) -> Iterator[Found]:
    known = ontology()
    speech = heard.speech
    if not any(m.id.startswith(("sx.", "attr.radiation", "proc.")) for m in heard.mentions):
        return
    composed = {(m.start, m.end) for m in heard.mentions if m.id.startswith("sx.")}
    for mention in heard.mentions:
        if not mention.id.startswith("site.") or (mention.start, mention.end) in composed:
            continue
        if speech.mode(mention.start) in (Mode.WISHES, Mode.UNSURE):
            continue
        if mention.id in ("site.body", "site.skin", "site.blood", "site.muscle"):
            continue
        words = speech.folded[mention.start : mention.end]
        if words == "back" and not _BACK.search(speech.folded[: mention.start]):
            continue
        reach = _NEAR_ZH if speech.chinese else _NEAR_EN
        before = re.split(r"[,.;!?。、]", speech.folded[max(0, mention.start - reach) : mention.start])[-1]
        after = re.split(r"[,.;!?。、]", speech.folded[mention.end : mention.end + reach])[0]
        if not _BODILY.search(before) and not _BODILY.search(after):
            continue
        if profile.about.get(mention.id, 0) & allowed or in_words(profile, words, allowed):
            continue
        over = known.ancestors(mention.id)[1:]
        if any(profile.about.get(a, 0) & allowed and a in _PARTS_TOO for a in over):
            continue
        limb = "site.limb" in over or mention.id in ("site.hand", "site.foot", "site.arm", "site.leg")
        if limb and (profile.exact_present.get("site.limb", 0) or 0) & allowed:
            continue
        kind = "unchosen" if profile.about.get(mention.id, 0) else "invention"
        yield kind, speech.text[mention.start : mention.end]


_PARTS_TOO = frozenset({"site.hand", "site.foot", "site.eye", "site.mouth", "site.throat"})


_STARTS = re.compile(r"\b(?:start|began|begin|came|come|develop|onset|appear|crept|built|hit|struck|happen)|起|开始|出现|发作|得|犯|来")
_DAY = re.compile(r"一晚|一夜|一宿|整晚|整夜|昨|前天|今天|那天|当天|\b(?:yesterday|last|that|one|the other)\b")
_NEAR_EN, _NEAR_ZH = 45, 14
_HABITUAL = frozenset({"daytime", "meals", "effort", "posture"})
_STRONG = re.compile(r"wors|bad|better|eas|hurt|pain|ache|sore|breath|cough|happen|come|get|疼|痛|喘|闷|重|厉害|好些|好点|好转|见好|缓|轻|犯|发作|咳|难受|不舒服|痒|烧|热")


def _values(profile: Profile, heard: Heard, allowed: int, chosen: int) -> Iterator[Found]:
    """Attributes: sudden or gradual, left or right, dry or wet, at night or in the morning."""
    speech = heard.speech
    for value in heard.contrasts:
        which = contrast(value.id)
        held = profile.values.get(which.attribute, {})
        if held.get(which.value, 0) & allowed:
            continue
        if speech.mode(value.start) is not Mode.SAYS or speech.denied(value.start, value.end):
            continue
        stretch = speech.stretch_text(value.start)
        if which.attribute == "onset" and (which.value == "gradual" and not _STARTS.search(stretch)):
            continue
        reach = _NEAR_ZH if speech.chinese else _NEAR_EN
        around = speech.folded[max(0, value.start - reach) : value.end + reach]
        if which.attribute in _HABITUAL and (_DAY.search(around) or not _STRONG.search(around)):
            continue
        words = speech.text[value.start : value.end]
        if in_words(profile, speech.folded[value.start : value.end], allowed):
            continue
        others = 0
        for other, mask in held.items():
            if other != which.value and "both" not in (other, which.value):
                others |= mask
        if others & chosen:
            if held.get("both", 0) & allowed:
                continue
            if not which.strict and which.attribute not in ("flow", "help"):
                if _SOFT.search(_without(stretch, words)) or not _is_of_body(heard, value):
                    continue
            yield "contradiction", words
        elif which.strict and not others & allowed and _bodily(heard, value):
            yield ("unchosen" if held.get(which.value, 0) else "invention"), words


def _without(stretch: str, words: str) -> str:
    return stretch.replace(words.lower(), " ")


def _is_of_body(heard: Heard, value: Mention) -> bool:
    """Whether a value is said of a complaint: one stands beside it, or nothing else does."""
    speech = heard.speech
    stretch = speech.stretch(value.start)
    beside = [m for m in heard.mentions if speech.stretch(m.start) == stretch and not m.id.startswith(("attr.", "neg"))]
    if any(m.id.startswith("sx.") for m in beside):
        return True
    return not beside and len(speech.stretch_text(value.start)) < (12 if speech.chinese else 60)


def _bodily(heard: Heard, value: Mention) -> bool:
    """Whether a value is said of something in the body."""
    stretch = heard.speech.stretch(value.start)
    return any(
        m.id.startswith(("sx.", "site.", "attr.")) and heard.speech.stretch(m.start) == stretch for m in heard.mentions
    )


_LIFE = re.compile(r"\b(?:waited|waiting|wait|drove|drive|booked|appointment|been here|sitting here|queue|bus|train|off work)\b|等了|排队|挂号|开车|坐车|赶过来|请假|坐了")


def _numbers(
    compiled: CompiledCase, profile: Profile, heard: Heard, allowed: int, asked: Heard | None
) -> Iterator[Found]:
    speech = heard.speech
    reference = reference_of(compiled)
    for said in heard.quantities:
        if speech.mode(said.start) in (Mode.ASKS, Mode.WISHES, Mode.UNSURE):
            continue
        if any(mask & allowed and same(said, known) for known, mask in profile.numbers):
            continue
        digits = re.findall(r"\d+(?:\.\d+)?", speech.folded[said.start : said.end])
        if said.kind == "bare" and all(profile.digits.get(d, 0) & allowed for d in digits):
            continue
        words = speech.text[said.start : said.end]
        if asked is not None and words.lower() in asked.speech.folded:
            continue
        if _LIFE.search(speech.stretch_text(said.start)) or said.kind == "clock":
            continue
        if said.kind == "ago" and (said.value < 24 or any(k.kind in ("time", "ago") and m & allowed and k.value <= 24 * 3 for k, m in profile.numbers)):
            continue
        if said.kind in _MEASURED and any(d in reference.numbers or len(d) == 1 for d in digits) and (
            said.kind != "bare" or any(len(d) > 1 for d in digits)
        ):
            yield "leak:result", words
            continue
        others = [m for k, m in profile.numbers if _alike(k, said) and m & allowed & ~profile.base]
        held = any(same(said, known) for known, _ in profile.numbers)
        if others:
            yield "contradiction", words
        else:
            yield ("unchosen" if held else "invention"), words


_MEASURED = frozenset({"bare", "pressure", "percent", "length"})


def _alike(known: Quantity, said: Quantity) -> bool:
    return known.kind == said.kind or {known.kind, said.kind} <= {"time", "ago"}
