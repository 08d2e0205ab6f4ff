"""Attributes and numbers that words give, held against those of the facts: sides, times, what makes it better."""

from __future__ import annotations

import re
from collections.abc import Iterator

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.clinic.patient.speech.heard import Heard, directions
from clinic_sim.clinic.patient.speech.hearing import Mode, feared
from clinic_sim.clinic.patient.speech.lexicon import contrast
from clinic_sim.clinic.patient.speech.profile import Profile
from clinic_sim.clinic.patient.speech.quantity import AGO, Quantity, same
from clinic_sim.clinic.patient.speech.reference import reference_of
from clinic_sim.clinic.patient.speech.support import Found, in_words
from clinic_sim.clinic.patient.speech.tables import pattern
from clinic_sim.clinic.patient.speech.verdicts import SOFT, without
from clinic_sim.knowledge.scan import Mention

NEAR_EN, NEAR_ZH = 45, 14


_STARTS = pattern("starts")


_WHATEVER_BESIDE = frozenset(
    {
        *("flow", "help", "prior", "spread", "energy", "spirits", "taken", "home", "drink", "rhythm", "sleep"),
        *("smell", "marital", "vaccine", "relations", "appetite", "habit", "protection", "partners", "substance"),
    }
)
"""Attributes that need no complaint beside them to be compared."""
_TURNING = frozenset({"help", "pattern", "rhythm", "taken"})
"""Attributes whose words a fact may hold with a "not": what hasn't helped has not helped."""
_COLOURED = ("sx.", "site.", "hx.urine", "hx.stool")
_STARTS_ZH = re.compile("开始|出现|发作|发病|得的|起病|就疼|就痛|来的|犯|疼起来|痛起来")
_DAY = pattern("one.day")


_HABITUAL = frozenset({"daytime", "meals", "effort", "posture"})


_STRONG = pattern("complains")


def values(profile: Profile, heard: Heard, allowed: int, chosen: int) -> Iterator[Found]:
    """Attributes: sudden or gradual, left or right, dry or wet, at night or in the morning."""
    speech = heard.speech
    for value in heard.contrasts:
        which = contrast(value.id)
        held = profile.values.get(which.attribute, {})
        if held.get(which.value, 0) & allowed:
            if (
                which.attribute in _HABITUAL
                and speech.chinese
                and held[which.value] & chosen
                and speech.mode(value.start) is Mode.SAYS
                and _spared(profile, heard, value, held[which.value])
            ):
                yield "contradiction", speech.text[value.start : value.end]
            continue
        if speech.mode(value.start) is not Mode.SAYS:
            continue
        if value.id != "help=no" and speech.denied(value.start, value.end):
            continue
        if feared(speech.folded, value.start):
            continue
        if which.attribute == "quality" and (
            not _is_of_body(heard, value)
            or (
                speech.english
                and value.end - value.start < _SHORT
                and not _FELT.search(speech.stretch_text(value.start))
            )
            or _DONE.search(speech.folded, max(0, value.start - NEAR_ZH), value.start)
        ):
            continue
        if value.id == "colour=red" and any(profile.present.get(i, 0) & allowed for i in _RED):
            continue  # as rashes are
        if any(
            m.start <= value.start and value.end <= m.end and m.end - m.start > value.end - value.start
            for m in heard.mentions
            if m.id.startswith("sx.") and profile.about.get(m.id, 0) & allowed
        ):
            continue  # part of the name of a known finding: burning up
        stretch = speech.stretch_text(value.start)
        if which.attribute == "onset" and (which.value == "gradual" and not _STARTS.search(stretch)):
            continue
        reach = NEAR_ZH if speech.chinese else NEAR_EN
        around = speech.folded[max(0, value.start - reach) : value.end + reach]
        if which.attribute in _HABITUAL and (_DAY.search(around) or not _STRONG.search(around)):
            continue
        words = speech.text[value.start : value.end]
        if which.attribute not in _TURNING and in_words(profile, speech.folded[value.start : value.end], allowed):
            continue
        if value.id == "side=both" and held.get("left", 0) & allowed and held.get("right", 0) & allowed:
            continue
        others = 0
        for other, mask in held.items():
            if other != which.value and "both" not in (other, which.value):
                others |= mask
        if which.attribute in _OF_THE_YEARS and not others & chosen & ~profile.base:
            continue  # the complaint names the sorts of cough of all its years
        if others & chosen:
            both = held.get("both", 0) & allowed
            if both and (both & chosen & ~profile.base or not _of_these(profile, heard, value, others & chosen, both)):
                continue
            compared = which.strict or which.attribute in _WHATEVER_BESIDE
            if not compared and (SOFT.search(without(stretch, words)) or not _is_of_body(heard, value)):
                continue
            yield "contradiction", words
        elif which.strict and which.attribute in _INVENTED and not others & allowed and _bodily(heard, value):
            if which.attribute == "meals" and profile.about.get("attr.food", 0) & allowed:
                continue  # the facts have eating in other words
            if which.attribute == "onset" and speech.chinese and not _STARTS_ZH.search(stretch):
                continue  # 一下子 is said of anything
            yield ("unchosen" if held.get(which.value, 0) else "invention"), words


_FELT = re.compile(r"pain|ach|hurt|feel|felt|sensation|like|sore|it's|it is|it was|kind of|sort of|cramp|burn|throb")
_DONE = re.compile(r"\b(?:i|you|we|they|he|she|to|when|if|doctor|nurse|gets?|got) (?:just )?$")
"""Before what somebody does: when I press it."""
_SHORT = 12


_RED = ("sx.rash", "sx.redness", "sx.bleeding", "sx.hematuria", "sx.swelling")
"""What is red by itself."""
_INVENTED = frozenset({"side", "colour", "cough", "spread", "meals"})
"""Attributes of which a value that no fact gives is an invention; of the others it is a manner of speaking."""
_OF_THE_YEARS = frozenset({"cough", "course", "pattern", "severity"})
"""Attributes that a complaint names for all its time."""
_SPARED_ZH = re.compile(
    r"[^,。;!?]{0,3}(?:没事|没啥事|不疼|不痛|不咳|不喘|不难受|不闹|不犯|没感觉|好好的|好得很|踏实|轻)"
)


def _spared(profile: Profile, heard: Heard, value: Mention, holding: int) -> bool:
    """Whether the time at which it is worse is said to be the time without it."""
    worse = profile.values.get("course", {}).get("worse", 0) | profile.about.get("attr.aggravating", 0)
    return bool(worse & holding) and _SPARED_ZH.match(heard.speech.folded, value.end) is not None


def _of_these(profile: Profile, heard: Heard, value: Mention, those: int, both: int) -> bool:
    """Whether a value is said of what only `those` facts speak of: one calf hurts where both legs are swollen."""
    stretch = heard.speech.stretch(value.start)
    beside = [
        profile.about.get(m.id, 0)
        for m in heard.mentions
        if m.id.startswith("sx.") and heard.speech.stretch(m.start) == stretch
    ]
    return any(mask & those and not mask & both for mask in beside)


def _is_of_body(heard: Heard, value: Mention) -> bool:
    """Whether a value is said of a complaint: one stands beside it, or nothing else does."""
    speech = heard.speech
    stretch = speech.stretch(value.start)
    beside = [m for m in heard.mentions if speech.stretch(m.start) == stretch and not m.id.startswith(("attr.", "neg"))]
    if any(m.id.startswith("sx.") for m in beside):
        return True
    return not beside and len(speech.stretch_text(value.start)) < (12 if speech.chinese else 90)


def _bodily(heard: Heard, value: Mention) -> bool:
    """Whether a value is said of something in the body."""
    stretch = heard.speech.stretch(value.start)
    colour = value.id.startswith("colour=")
    kinds = _COLOURED if colour else ("sx.", "site.", "attr.")
    return any(
        m.id.startswith(kinds)
        and heard.speech.stretch(m.start) == stretch
        and not (colour and (m.start, m.end) == (value.start, value.end))
        for m in heard.mentions
    )


def ways(profile: Profile, heard: Heard, chosen: int) -> Iterator[Found]:
    """What makes it better is not what makes it worse."""
    for modifier, way, start, end in directions(heard):
        held = profile.directions.get(modifier, {})
        other = "worse" if way == "better" else "better"  # also for what does not help
        if heard.speech.mode(start) is not Mode.SAYS:
            continue
        turned = held.get(other, 0) & chosen and not held.get(way, 0) & chosen
        if turned or (modifier in _EATING and _has_nothing_to_do_with_food(profile) & chosen):
            yield "contradiction", heard.speech.text[start:end]


_EATING = frozenset({"attr.food", "meals=after meals", "meals=before meals"})


def _has_nothing_to_do_with_food(profile: Profile) -> int:
    """The facts that say that eating does not matter."""
    eating = profile.about.get("attr.food", 0)
    for pair in ("进食", "吃饭", "饮食"):
        eating |= profile.stems.get(pair, 0)
    return profile.about.get("attr.unrelated", 0) & eating


_LIFE = pattern("waiting")


def numbers(
    compiled: CompiledCase, profile: Profile, heard: Heard, allowed: int, chosen: int, asked: Heard | None
) -> Iterator[Found]:
    speech = heard.speech
    reference = reference_of(compiled)
    held_here = []
    if speech.english and len(heard.quantities) > 1:
        held_here = [
            q for q in heard.quantities if any(mask & allowed and same(q, known) for known, mask in profile.numbers)
        ]
    for said in heard.quantities:
        if speech.mode(said.start) in (Mode.ASKS, Mode.WISHES, Mode.UNSURE):
            continue
        if any(said.end <= q.start and _COUNTING.fullmatch(speech.folded, said.end, q.start) for q in held_here):
            continue  # corrected or counted on to the right one: once, twice, three times
        if said.kind == "few":
            clashing = [k for k, m in profile.numbers if k.kind in _SPANS and m & chosen]
            if (
                clashing
                and not any(same(said, k) for k, m in profile.numbers if k.kind in _SPANS and m & allowed)
                and not held_here
                and not _LATELY.search(speech.stretch_text(said.start))
            ):
                yield "contradiction", speech.text[said.start : said.end]
            continue
        before = speech.folded[max(0, said.start - _VERB_REACH) : said.start]
        if said.kind == "weight" and _weight_turned(profile, before, allowed):
            yield "contradiction", speech.text[said.start : said.end]
            continue
        held_by = allowed
        if said.kind == "time" and _SMOKED.search(before):  # the years of the complaint are not those of the smoking
            held_by = profile.about.get("hx.smoking", 0) & allowed & ~profile.base or allowed
        if any(mask & held_by and same(said, known) for known, mask in profile.numbers):
            continue
        digits = re.findall(r"\d+(?:\.\d+)?", speech.folded[said.start : said.end])
        if said.kind == "bare" and digits and all(profile.digits.get(d, 0) & allowed for d in digits):
            continue
        words = speech.text[said.start : said.end]
        if (
            said.kind == "count"
            and said.value <= _A_FEW
            and words[-1] in "粒片颗"
            and profile.about.get("hx.medication", 0) & allowed
        ):
            continue  # a tablet or two
        if asked is not None and words.lower() in asked.speech.folded:
            continue
        if _only_said(profile, said, speech.folded, allowed):
            continue
        if said.kind == "pressure" and not digits:
            yield "leak:result", words
            continue
        if _LIFE.search(speech.stretch_text(said.start)) or said.kind == "clock":
            continue
        if _ACQUAINTED.search(speech.stretch_text(said.start)) and not held_here:
            here = speech.folded[speech.starts[speech.stretch(said.start)] : said.end + NEAR_ZH]
            if _ACQUAINTED.search(here):
                continue  # of somebody else
        if speech.folded.startswith(("-old", " olds", "-olds"), said.end) or (
            _PREGNANT.search(before) and "week" in speech.folded[said.start : said.end]
        ):
            continue
        if said.kind == "ago" and said.value == AGO["yesterday"] and _began_today(profile, chosen):
            yield "contradiction", speech.text[said.start : said.end]
            continue
        if said.kind == "ago" and (
            said.value <= 24
            and not speech.folded.startswith(("since", "from"), said.start)
            and not any(_alike(k, said) and m & chosen for k, m in profile.numbers)
        ):
            continue
        if said.kind == "ago" and (
            said.value < 24
            or (
                any(k.kind in ("time", "ago") and m & allowed and k.value <= 24 * 3 for k, m in profile.numbers)
                and (said.value < 24 * 7 or not any(_alike(k, said) and m & chosen for k, m in profile.numbers))
            )
        ):
            continue
        if (
            said.kind in _MEASURED
            and any(d in reference.numbers or len(d) == 1 for d in digits)
            and (said.kind != "bare" or any(len(d) > 1 for d in digits))
        ):
            yield "leak:result", words
            continue
        others = [m for k, m in profile.numbers if _alike(k, said) and m & allowed & ~profile.base]
        if (
            said.kind == "time"
            and said.value < _MOMENT
            and (not others or _said_elsewhere(profile, heard, said, allowed))
        ):
            continue  # a manner of speaking
        if _SIMILE.match(speech.folded, said.end):
            continue
        if said.kind == "count" and not others and (said.value == 1 or not _counts_a_complaint(heard, said)):
            continue
        held = any(same(said, known) for known, _ in profile.numbers)
        if others and said.kind == "rate" and said.loose and _said_elsewhere(profile, heard, said, allowed):
            continue
        if others:
            yield "contradiction", words
        else:
            yield ("unchosen" if held else "invention"), words


def _counts_a_complaint(heard: Heard, said: Quantity) -> bool:
    """Whether a count is one of something of health: not the times one reads a line."""
    speech = heard.speech
    if not speech.english or not speech.folded.startswith("times", said.end - 5):
        return True
    here = speech.stretch(said.start)
    return any(
        m.id.startswith(("sx.", "drug.", "tx:", "claim.", "hx.")) and speech.stretch(m.start) == here
        for m in heard.mentions
    )


def _said_elsewhere(profile: Profile, heard: Heard, said: Quantity, allowed: int) -> bool:
    """Whether other words give a number of the facts of that sort."""
    return any(
        other is not said and other.kind == said.kind and mask & allowed and same(other, known)
        for other in heard.quantities
        for known, mask in profile.numbers
    )


def _began_today(profile: Profile, chosen: int) -> bool:
    """Whether the chosen facts have nothing but today."""
    times = {k.value for k, m in profile.numbers if k.kind in _SPANS and m & chosen}
    return times == {AGO["today"]}


_ACQUAINTED = re.compile(
    r"同事|邻居|隔壁|朋友|别人|人家|同学|\b(?:colleagues?|neighbou?rs?|friends?|workmates?|mates?|classmates?|kids|pupils)\b"
)
_PREGNANT = re.compile(r"\b(?:i'm|i am|she's|i was) (?:about |only |nearly )?$")
_SIMILE = re.compile("(?:似的|一样|一般|那么[长久])")
_A_FEW = 2
_MOMENT = 0.2
"""Hours below which a length of time is often a manner of speaking."""
_COUNTING = re.compile(
    r"[\s,.…-]*(?:(?:no|or|maybe|wait|er|um|erm|i mean|make that|sorry|actually|then|and|well|twice)[\s,.…-]*){0,3}"
)
"""What stands between a number and the one that takes its place."""
_SPANS = frozenset({"time", "ago", "few"})
_LATELY = re.compile(r"\b(?:wors|more|since|then|recent|especially|lately|new|now|ago|until|before i|also|too|bit)")
_IDIOM = pattern("number.idioms")
_SELDOM = 3.0


def _only_said(profile: Profile, said: Quantity, folded: str, allowed: int) -> bool:
    """Whether a number is one of a saying, or "every day" where no fact has it far more seldom."""
    if any(match.start() <= said.start < match.end() for match in _IDIOM.finditer(folded)):
        return not (said.kind == "rate" and any(k.kind == "rate" and m & allowed for k, m in profile.numbers))
    if (
        said.kind == "rate"
        and said.loose
        and folded[said.start : said.end].startswith(("every d", "each d", "every s", "every m", "each m"))
    ):
        rates = [k.value for k, m in profile.numbers if k.kind == "rate" and m & allowed]
        return not rates or max(rates) * _SELDOM > said.value
    return False


_MEASURED = frozenset({"bare", "pressure", "percent", "length"})


_VERB_REACH = 25
_SMOKED = re.compile(
    r"\bsmok\w+(?: for)?(?: about| over| around)? ?$|(?:抽|吸)(?:烟|着)?(?:都|有|了|也)*$|烟龄(?:有|是)?$"
)
_LOST = re.compile(r"\b(?:lost|lose|losing|dropped|shed)\b|瘦|掉|轻了|减")
_GAINED = re.compile(r"\b(?:gain\w*|put on|putting on)\b|胖|重了|长了|增")


def _weight_turned(profile: Profile, before: str, allowed: int) -> bool:
    """Whether weight is said to go the other way."""
    gained = profile.present.get("sx.weight_gain", 0) & allowed
    lost = profile.present.get("sx.weight_loss", 0) & allowed
    if _LOST.search(before):
        return bool(gained and not lost)
    return bool(_GAINED.search(before) and lost and not gained)


def _alike(known: Quantity, said: Quantity) -> bool:
    return known.kind == said.kind or {known.kind, said.kind} <= {"time", "ago"}
