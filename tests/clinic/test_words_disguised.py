"""The name of the reference in other clothes is refused all the same, and ordinary Latin letters are not."""

from __future__ import annotations

import pytest

from clinic_sim.cases.compiled import CompiledCase, compile_case
from clinic_sim.cases.packs import load_pack
from clinic_sim.clinic.patient.words import review_words

ZH, EN = "acute-pancreatitis-zh", "appendicitis-pregnancy-en"

DISGUISED = [
    (ZH, "隔壁床說這是急性胰腺炎。"),
    (ZH, "我觉得是急性yi腺炎。"),
    (ZH, "人家说是 yi xian yan 呢。"),
    (ZH, "人家说是yíxiànyán呢。"),
    (ZH, "人家说是yi2 xian4 yan2呢。"),
    (ZH, "他说是胰*炎。"),
    (ZH, "他说是胰、腺、炎。"),
    (ZH, "他说是胰线炎。"),
    (EN, "It's a-p-p-e-n-d-i-c-i-t-i-s."),
    (EN, "It's a p p e n d i c i t i s, I think."),
    (EN, "It's A, P, P, E, N, D, I, C, I, T, I, S."),
    (EN, "It's ａｐｐｅｎｄｉｃｉｔｉｓ."),
    (EN, "Read it backwards: siticidneppa."),
    (EN, "It's app3nd1c1t1s."),
    (EN, "A friend thinks the appendix has gone bad."),
    (EN, "The nurse called it a grumbling whatsit."),
]
PLAIN = [
    (ZH, "我在IT公司上班，平时用APP打车。"),
    (ZH, "今天穿的是XL的衣服，心里挺慌的。"),
    (ZH, "大夫，OK，我听您的。"),
    (EN, "I took the A, B and C trains, doctor, and I'm not sure what to say."),
    (EN, "He can hang on, we can go on. Thank you."),
]


@pytest.fixture(scope="module")
def cases() -> dict[str, CompiledCase]:
    return {c.id: compile_case(c) for pack in ("core-en", "core-zh") for c in load_pack(pack).cases if c.id in (ZH, EN)}


@pytest.mark.parametrize(("case", "words"), DISGUISED)
def test_a_disguised_name_is_refused(cases: dict[str, CompiledCase], case: str, words: str) -> None:
    assert any(o.kind == "leak:diagnosis" for o in review_words(cases[case], words).objections)


@pytest.mark.parametrize(("case", "words"), PLAIN)
def test_letters_are_no_disguise(cases: dict[str, CompiledCase], case: str, words: str) -> None:
    assert review_words(cases[case], words).objections == ()
