"""What words give away: the diagnosis, results and treatment that the patient cannot know."""

from __future__ import annotations

import re
from collections.abc import Iterator

from clinic_sim.cases.compiled import CompiledCase
from clinic_sim.clinic.patient import words_leaks
from clinic_sim.clinic.patient.words_leaks import Reference, reference_of
from clinic_sim.clinic.patient.words_profile import Heard, Profile, name_of, widened
from clinic_sim.clinic.patient.words_text import Mode
from clinic_sim.knowledge import icd10, treatment_lexicon
from clinic_sim.knowledge.concepts import ontology
from clinic_sim.knowledge.scan import Mention
from clinic_sim.knowledge.text import stem

Found = tuple[str, str]
"""A kind of objection and the words objected to."""
_REACH = 60
_GENERAL = frozenset(
    {
        *("dx.disease", "dx.chronic", "dx.infectious", "dx.cardiovascular", "dx.respiratory", "dx.gi", "dx.neurological"),
        *("dx.endocrine", "dx.psychiatric", "dx.skin", "dx.eye", "dx.ent", "dx.msk", "dx.gyn", "dx.genetic", "dx.allergic"),
    }
)
_TESTS = re.compile(
    r"\b(?:cts?|mri|ecg|ekg|eeg|tsh|crp|esr|hba1c|psa|inr|wbc|x-?rays?|scans?|scanned|ultrasound|bloods?(?: tests?| work| results?)|blood count|"
    r"urine (?:test|sample)|swabs?|biops(?:y|ies)|dipstick|troponins?|d-?dimer|tests?|results?|readings?|blood (?:pressure|sugar|gas)|oxygen|sats|pulse|heart rate|"
    r"temperature|platelets|h(?:a?e)moglobin|white (?:blood )?(?:cells?|count)|red (?:blood )?cells?|iron levels?|sugars?|cholesterol|thyroid (?:level|test)s?|hormone levels?|kidney function|liver (?:function|enzymes|tests)|creatinine|"
    r"sodium|potassium|calcium|lactate|bilirubin|culture|endoscopy|colonoscopy|gastroscopy|spirometry|echo|lumbar puncture|spinal tap|smear|pathology|labs?)\b"
    r"|(?<![a-z])ct(?![a-z])|核磁|磁共振|片子|胸片|b超|彩超|超声|心电图|脑电图|化验|抽血|验血|血常规|尿常规|尿检|大便常规|胃镜|肠镜|病理|切片|检查结果|检查报告|检查显示|报告单?|指标|化验单|白细胞|红细胞|血小板|血红蛋白|血糖|血压|血氧|心率|脉搏|肌酐|转氨酶|"
    r"甲功|血沉|血脂|胆固醇|尿酸|激素水平|体温|培养|痰检|涂片|抗体|穿刺|造影|心超|肿瘤标志物|d二聚体|肌钙蛋白|ph值|淀粉酶"
)
_SHOWS = re.compile(
    r"\b(?:show(?:s|ed|n|ing)?|said|says|found|finds?|c[ao]me back|had|spikes?|positive|negative|normal|abnormal|all clear|clear|clean|high|higher|low|lower|raised|elevated|up|down|"
    r"off|reveal(?:s|ed)|confirm(?:s|ed)?|picked up|through the roof|sky high|fine|bad|okay|ok|saw|spotted|something (?:on|in)|borderline|increased|decreased|dropped|were|was \d|is \d|at \d|of \d)\b|\d|"
    r"\b(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand)\b"
    r"|显示|提示|说是|说有|说没|看到|看见|发现|查出|阳性|阴性|正常|异常|高|低|偏|升|降|偏快|没事|没问题|有问题|有点问题|长了|万|千|加号|\d|[一二三四五六七八九]十|[一二三四五六七八九]百"
)
_FUTURE = re.compile(r"\b(?:going to|will|'ll|want(?:s|ed)? (?:me )?to|needs? to|need|should|can we|let's|happy to|okay|ok|sure|fine,|if)\b|要做|去做|准备做|得做|会做|好的|行|可以")
_GENERIC_TX = frozenset(
    {"surgery", "emergency_surgery", "elective_surgery", "minimally_invasive_surgery"}
)


def leaked(
    compiled: CompiledCase, profile: Profile, heard: Heard, allowed: int, asked: Heard | None
) -> Iterator[Found]:
    """Every disclosure, with its words."""
    reference = reference_of(compiled)
    folded = heard.speech.folded
    yield from _names(profile, heard, allowed, reference)
    yield from _diseases(profile, heard, allowed, reference)
    yield from _mechanisms(profile, heard, allowed, reference)
    yield from _treatments(profile, heard, allowed, reference)
    yield from _results(profile, heard, allowed, reference, asked)
    hint = words_leaks.hinted(folded, reference)
    if hint is not None and (compiled.case.diagnosis is not None):
        yield "leak:diagnosis", hint


_WORDS = re.compile(r"[a-z]+(?:'[a-z]+)?")


def _names(profile: Profile, heard: Heard, allowed: int, reference: Reference) -> Iterator[Found]:
    speech = heard.speech
    if speech.english:
        for match in _WORDS.finditer(speech.folded):
            word = match.group()
            if len(word) < 4:
                continue
            known = stem(word)
            if profile.stems.get(known, 0) & allowed:
                continue
            if known in reference.stems or (len(word) >= 5 and words_leaks.misspelt(word.removesuffix("'s"), reference)):
                yield "leak:diagnosis", speech.text[match.start() : match.end()]
        if reference.abbreviations is not None:
            found = reference.abbreviations.search(speech.text)
            if found:
                yield "leak:diagnosis", found.group()
        named = words_leaks.phrase(_WORDS.findall(speech.folded), reference)
        if named is not None and not in_words(profile, named, allowed):
            yield "leak:diagnosis", named
        run = words_leaks.run_together(speech.folded, reference)
        if run is not None and not _is_allowed_run(run, profile, allowed):
            yield "leak:diagnosis", run
    if speech.chinese and reference.chinese is not None:
        for found in reference.chinese.finditer(speech.folded):
            pairs = {found.group()[i : i + 2] for i in range(len(found.group()) - 1)}
            if not all(profile.stems.get(p, 0) & allowed for p in pairs):
                yield "leak:diagnosis", found.group()


def _is_allowed_run(run: str, profile: Profile, allowed: int) -> bool:
    """Whether the letters are those of words that a fact holds."""
    held = sorted((s for s, mask in profile.stems.items() if mask & allowed and s in run), key=len, reverse=True)
    left = run
    for one in held:
        if len(one) > 2:
            left = left.replace(one, "")
    return len(left) <= len(run) // 3


def supported(profile: Profile, mention: Mention, folded: str, allowed: int) -> bool:
    """Whether an allowed fact holds what is named, as a concept or in its very words."""
    id_ = name_of(mention.id)
    if profile.about.get(id_, 0) & allowed:
        return True
    if id_.startswith("icd:") and profile.codes.get(icd10.category(id_[4:]), 0) & allowed:
        return True
    return in_words(profile, folded[mention.start : mention.end], allowed)


def in_words(profile: Profile, words: str, allowed: int) -> bool:
    """Whether all the words stand in allowed facts."""
    stems = [stem(w) for w in _WORDS.findall(words) if len(w) > 2]
    pairs = [words[i : i + 2] for i in range(len(words) - 1) if words[i] > "\u33ff" and words[i + 1] > "\u33ff"]
    every = [*stems, *pairs]
    return bool(every) and all(profile.stems.get(s, 0) & allowed for s in every)


_RELATIVE = re.compile(
    r"\b(?:mother|father|mum|mom|dad|parents?|brother|sister|siblings?|uncle|aunt|cousin|grand\w+|gran|nan|son|daughter|"
    r"kids?|child|children|family|relatives?|wife|husband|mother's|father's)\b"
    r"|[爸妈爷奶哥姐弟妹叔姑姨舅]|父|母|外公|外婆|兄|儿子|女儿|孩子|家族|家里|家人|亲戚|丈夫|妻子|老公|老婆"
)


def _diseases(profile: Profile, heard: Heard, allowed: int, reference: Reference) -> Iterator[Found]:
    folded = heard.speech.folded
    known = ontology().concepts
    relative = _RELATIVE.search(folded) is not None
    spans: dict[tuple[int, int], list[str]] = {}
    for mention in heard.mentions:
        if mention.id.startswith(("icd:", "dx.")):
            spans.setdefault((mention.start, mention.end), []).append(mention.id)
    felt = {(m.start, m.end) for m in heard.mentions if m.id.startswith("sx.")}
    for (start, end), ids in spans.items():
        if set(ids) <= _GENERAL or (start, end) in felt:
            continue
        words = heard.speech.text[start:end]
        holding = allowed if relative else allowed & ~profile.family
        if any(supported(profile, Mention(start, end, i), folded, holding) for i in ids):
            continue
        near = any(i in reference.concepts for i in ids) or any(
            reference.near(i[4:]) for i in ids if i.startswith("icd:")
        )
        if near:
            yield "leak:diagnosis", words
        elif any(profile.about.get(i, 0) & profile.everything for i in ids if i in known) and not any(
            profile.about.get(i, 0) & allowed for i in ids
        ):
            yield "unchosen", words
        else:
            yield "invention", words


def _mechanisms(profile: Profile, heard: Heard, allowed: int, reference: Reference) -> Iterator[Found]:
    """An organ and what went wrong in it, side by side."""
    folded = heard.speech.folded
    organs = [m for m in heard.mentions if m.id.startswith("organ.")]
    processes = [m for m in heard.mentions if m.id.startswith("proc.")]
    for process in processes:
        for organ in organs:
            left, right = min(process.end, organ.end), max(process.start, organ.start)
            between = folded[left:right]
            if right - left > _REACH or any(c in between for c in ".!?;。"):
                continue
            here = folded[min(process.start, organ.start) : max(process.end, organ.end)]
            if in_words(profile, folded[process.start : process.end], allowed) and in_words(profile, folded[organ.start : organ.end], allowed):
                continue
            if not _INSIDE.search(here) and organ.id in _FELT_ORGANS and process.id in _FELT_PROCESSES:
                continue
            if in_words(profile, folded[process.start : process.end], allowed) and process.id in _FELT_PROCESSES:
                continue
            kind = "leak:diagnosis" if reference.organ(organ.id[6:]) else "invention"
            yield kind, heard.speech.text[min(process.start, organ.start) : max(process.end, organ.end)]


_INSIDE = re.compile(r"inside|lining|里面|内部")
_FELT_ORGANS = frozenset({"organ.joint", "organ.eye", "organ.breast", "organ.stomach", "organ.bowel", "organ.blood"})
_FELT_PROCESSES = frozenset({"proc.trap", "proc.fail", "proc.block"})


def _treatments(profile: Profile, heard: Heard, allowed: int, reference: Reference) -> Iterator[Found]:
    folded = heard.speech.folded
    for mention in heard.mentions:
        if not mention.id.startswith("tx:"):
            continue
        concept = mention.id[3:]
        if supported(profile, mention, folded, allowed) or any(
            profile.about.get(i, 0) & allowed for i in widened(mention.id)
        ):
            continue
        if heard.speech.denied(mention.start, mention.end) and profile.exact_absent.get("hx.medication", 0) & allowed:
            continue
        known = treatment_lexicon.concepts()[concept]
        words = heard.speech.text[mention.start : mention.end]
        if concept.removeprefix("tx.") in _GENERIC_TX:
            continue
        mode = heard.speech.mode(mention.start)
        if words_leaks.covers_reference(concept, reference) >= (1.0 if mode is not Mode.SAYS else 0.5):
            if known.kind in ("drug", "procedure") or _TOLD.search(heard.speech.stretch_text(mention.start)):
                yield "leak:treatment", words
        elif known.kind == "drug" and not _is_class(concept):
            yield "invention", words
        elif known.kind == "procedure" and heard.speech.mode(mention.start) is Mode.SAYS and _TOLD.search(heard.speech.stretch_text(mention.start)):
            yield "invention", words


def _is_class(concept: str) -> bool:
    return not treatment_lexicon.concepts()[concept].atc


_TOLD = re.compile(
    r"\b(?:they|he|she|doctors?|nurse|surgeon|someone|gp|hospital|consultant)\b.{0,30}\b(?:said|says|told|want|wants|wanted|going to|plan|planning|put me|gave|giving|started|decided|mentioned|think|thinks|reckons?)\b"
    r"|\bi(?:'ll| will| need| have| am going)\b.{0,12}\b(?:need|have|be given|be put|to have|to be|get)\b|医生说|大夫说|他们说|要给我|准备给我|让我|说要|得做|需要做|要做|安排"
)


def _results(profile: Profile, heard: Heard, allowed: int, reference: Reference, asked: Heard | None) -> Iterator[Found]:
    speech = heard.speech
    folded = speech.folded
    for mention in heard.mentions:
        if mention.id == "found" and not in_words(profile, folded[mention.start : mention.end], allowed):
            yield "leak:result", speech.text[mention.start : mention.end]
    last = -1
    held = [
        word
        for words, ids in _TOLD_LEVELS.items()
        if any(profile.about.get(i, 0) & allowed for i in ids)
        for word in words
    ]
    for match in _TESTS.finditer(folded):
        if match.start() < last or in_words(profile, match.group(), allowed):
            continue
        mode = speech.mode(match.start())
        if mode is Mode.ASKS or mode is Mode.WISHES:
            continue
        if match.group() in held and not any(match.end() <= q.start < match.end() + _BESIDE_EN and q.kind in _READINGS for q in heard.quantities):
            continue
        stretch = speech.stretch_text(match.start())
        reach = _BESIDE_ZH if match.group()[-1] > "\u33ff" or speech.chinese else _BESIDE_EN
        around = folded[max(0, match.start() - reach // 3) : match.start()] + " " + folded[match.end() : match.end() + reach]
        around = _cut_at_stop(around) if stretch else around
        if _SHOWS.search(around) and (mode is Mode.SAYS) and not _FUTURE_ONLY.search(around):
            yield "leak:result", speech.text[match.start() : match.end()]
            last = match.end() + 40
    for mention in heard.mentions:
        if not mention.id.startswith("exam:") or mention.start < last:
            continue
        if supported(profile, mention, folded, allowed) or speech.mode(mention.start) is not Mode.SAYS:
            continue
        if any(m.start == mention.start and m.id.startswith(("tx:", "drug.", "hx.", "sx.")) for m in heard.mentions):
            continue
        stretch = speech.stretch_text(mention.start)
        if _FUTURE.search(stretch):
            continue
        if asked is not None and any(m.id == mention.id for m in asked.mentions):
            continue
        yield "invention", speech.text[mention.start : mention.end]
    runs = reference.report_runs
    if runs:
        for run in words_leaks.word_runs(folded):
            if run in runs and not in_words(profile, run, allowed):
                yield "leak:result", run
                break


_READINGS = frozenset({"bare", "pressure", "percent", "degrees"})
_TOLD_LEVELS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("cholesterol", "胆固醇", "血脂"): ("dx.hyperlipidemia",),
    ("blood pressure", "血压"): ("dx.hypertension", "dx.hypotension"),
    ("blood sugar", "sugar", "sugars", "血糖"): ("dx.diabetes",),
    ("uric acid", "尿酸"): ("dx.gout",),
    ("temperature", "体温"): ("sx.fever",),
    ("pulse", "heart rate", "心率", "脉搏"): ("sx.palpitations",),
    ("iron levels", "iron level"): ("dx.blood", "drug.iron"),
}
"""What a known disease lets a patient say of its measure, without a figure."""
_BESIDE_EN, _BESIDE_ZH = 45, 14
_STOPS = re.compile(r"[。;!?\n]|\.(?!\d)")


def _cut_at_stop(words: str) -> str:
    return _STOPS.split(words.strip(" .。"))[0]


_FUTURE_ONLY = re.compile(r"\b(?:will|'ll|going to|hope|need|want|should|before the|after the|wait(?:ing)? for)\b|要做|去做|准备|等|希望|需要")
