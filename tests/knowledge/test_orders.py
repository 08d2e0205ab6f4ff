"""Orders: what is named, what it reveals of a record, what is too broad, and what nobody knows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic_sim.knowledge.exam_catalogue import catalogue
from clinic_sim.knowledge.orders import OrderReader, RecordedExam, read_order, resolve_name

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def codes(text: str) -> list[str]:
    return [item.code for item in read_order(text).items]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'd like to get a CBC, BMP and LFTs please.", ["lab.cbc", "lab.bmp", "lab.lft"]),
        ("Could we do an EKG and a CXR?", ["func.ecg", "img.xr.chest"]),
        ("blood count and a urine dip", ["lab.cbc", "lab.urinalysis"]),
        ("CT of the chest and abdomen", ["img.ct.chest", "img.ct.abdomen"]),
        ("Chest, abdomen and pelvis CT with contrast", ["img.ct.chest", "img.ct.abdomen", "img.ct.pelvis"]),
        ("chest X-ray and abdominal ultrasound", ["img.xr.chest", "img.us.abdomen"]),
        ("CT and MRI of the brain", ["img.ct.head", "img.mri.head"]),
        ("MRI brain and chest CT", ["img.mri.head", "img.ct.chest"]),
        ("x-ray of the left knee", ["img.xr.knee"]),
        ("Let us do a US of the thyroid", ["img.us.thyroid"]),
        ("palpate the abdomen and check the reflexes", ["phys.abdomen.palpation", "phys.neuro.reflexes"]),
        ("physical examination of the abdomen", ["phys.abdomen"]),
        ("Full neurological exam", ["phys.neuro"]),
        ("vital signs", ["vital"]),
        ("1. Troponin\n2. D-dimer", ["lab.cardiac.troponin", "lab.coag.ddimer"]),
        ("给您开个血常规、肝功和心电图", ["lab.cbc", "lab.lft", "func.ecg"]),
        ("胸部增强CT", ["img.ct.chest"]),
        ("头颅CT和MRI", ["img.ct.head", "img.mri.head"]),
        ("胸腹部CT", ["img.ct.chest", "img.ct.abdomen"]),
        ("建议你做胃肠镜检查，还有腹部B超", ["proc.egd", "proc.colonoscopy", "img.us.abdomen"]),
        ("先测一下血压和体温，再听诊心肺", ["vital.bp", "vital.temperature", "phys.cardiopulmonary"]),
        ("神经系统查体", ["phys.neuro"]),
        ("生命体征", ["vital"]),
        ("做个心脏彩超", ["func.echo"]),
        ("左膝疼痛，建议做X线检查", ["img.xr.knee"]),
        ("可能是肺炎，建议尽快做胸部X光检查", ["img.xr.chest"]),
        ("For your chest pain, a head CT", ["img.ct.head"]),
    ],
)
def test_named_examinations_are_read(text: str, expected: list[str]) -> None:
    reading = read_order(text)
    assert [item.code for item in reading.items] == expected
    assert reading.vague == ()
    assert reading.unknown == ()


@pytest.mark.parametrize(
    "text",
    [
        "blood tests",
        "some imaging",
        "everything",
        "all the tests please",
        "Please run routine labs",
        "physical exam",
        "做个全身检查",
        "抽血化验",
        "常规检查",
        "体格检查",
        "影像学检查",
    ],
)
def test_a_catch_all_order_reveals_nothing_and_is_called_vague(text: str) -> None:
    reader = OrderReader([RecordedExam("cbc", ("lab.cbc",), ()), RecordedExam("skin", ("phys.skin",), ())])
    reading = reader.read(text)
    assert reading.items == ()
    assert reading.vague


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No need for a CT, just an ECG", ["func.ecg"]),
        ("We don't need CT, MRI or X-ray.", []),
        ("An MRI is not necessary", []),
        ("ultrasound of the abdomen instead of CT", ["img.us.abdomen"]),
        ("CT先不做，先查血常规", ["lab.cbc"]),
        ("不需要做心电图", []),
        ("Order a head CT, please. No MRI for now.", ["img.ct.head"]),
        ("Because of the raised troponin I want an ECG", ["func.ecg"]),
    ],
)
def test_what_is_denied_or_only_a_reason_is_not_ordered(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


@pytest.mark.parametrize("text", ["serum zonulin level", "please do a Frobnicate test", "做个某某蛋白检测"])
def test_a_test_nobody_knows_is_named_as_unknown(text: str) -> None:
    reading = read_order(text)
    assert reading.items == ()
    assert len(reading.unknown) == 1


def test_a_known_and_an_unknown_test_are_told_apart() -> None:
    reading = read_order("CBC and serum zonulin level")
    assert [item.code for item in reading.items] == ["lab.cbc"]
    assert reading.unknown == ("serum zonulin level",)


def test_each_examination_is_ordered_once() -> None:
    assert codes("CBC, complete blood count, 血常规, CBC") == ["lab.cbc"]


def reader(**exams: tuple[str, ...]) -> OrderReader:
    return OrderReader([RecordedExam(exam, own, ()) for exam, own in exams.items()])


def revealed(of: OrderReader, text: str) -> list[tuple[str, ...]]:
    return [item.matched_exam_ids for item in of.read(text).items]


def test_a_panel_reveals_its_components() -> None:
    record = reader(hb=("lab.cbc.hemoglobin",), plt=("lab.cbc.platelets",), alt=("lab.lft.alt",))
    assert revealed(record, "CBC") == [("hb", "plt")]


def test_a_component_finds_the_panel_that_contains_it() -> None:
    assert revealed(reader(cbc=("lab.cbc",)), "血红蛋白") == [("cbc",)]
    assert revealed(reader(cmp=("lab.cmp",)), "ALT") == [("cmp",)]


def test_a_component_on_record_by_itself_leaves_the_panel_closed() -> None:
    record = reader(cbc=("lab.cbc",), hb=("lab.cbc.hemoglobin",))
    assert revealed(record, "hemoglobin") == [("hb",)]


def test_one_record_of_two_regions_answers_an_order_of_either() -> None:
    record = reader(ct=("img.ct.chest", "img.ct.abdomen"))
    assert revealed(record, "abdominal CT") == [("ct",)]
    assert revealed(record, "肺部CT") == [("ct",)]
    assert revealed(record, "CT of the head") == [()]


def test_an_organ_is_found_in_the_examination_of_its_region() -> None:
    assert revealed(reader(us=("img.us.abdomen",)), "肝胆脾彩超") == [("us",)]


def test_a_modality_without_region_is_clear_only_where_one_region_is_on_record() -> None:
    one = reader(ct=("img.ct.head",))
    assert revealed(one, "CT scan please") == [("ct",)]
    two = reader(head=("img.ct.head",), chest=("img.ct.chest",))
    assert two.read("CT scan please").items == ()
    assert two.read("CT scan please").vague == ("CT scan",)


def test_a_local_examination_is_ordered_by_its_own_name() -> None:
    record = OrderReader([RecordedExam("tp", ("local.tp_activity",), ("Blood Work > TP Activity",))])
    reading = record.read("Please check TP activity and a CBC")
    assert [(item.code, item.matched_exam_ids) for item in reading.items] == [
        ("local.tp_activity", ("tp",)),
        ("lab.cbc", ()),
    ]


def test_names_follow_the_language_asked_for() -> None:
    assert read_order("CBC", "zh").items[0].name == "血常规"
    assert read_order("血常规").items[0].name == "血常规"
    assert read_order("cbc").items[0].name == "Complete blood count"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Complete_Blood_Count > Hemoglobin", ("lab.cbc.hemoglobin",)),
        ("CT_Scan_Thorax_and_Abdomen", ("img.ct.chest", "img.ct.abdomen")),
        ("Acetylcholine_Receptor_Antibodies", ("lab.immune.achr",)),
        ("Neurological_Examination > Cranial_Nerves", ("phys.neuro.cranial",)),
        ("Urinalysis > Glucose", ("lab.urinalysis.glucose",)),
        ("Serum_Chemistry > Glucose", ("lab.glucose",)),
        ("Abdominal_Examination > Palpation", ("phys.abdomen.palpation",)),
        ("Chest_X-ray > Findings", ("img.xr.chest",)),
        ("Head_Imaging > Findings", ("img.head",)),
        ("Skin_Biopsy > Histopathology", ("path.biopsy.skin",)),
        ("头颅CT", ("img.ct.head",)),
        ("心脏超声", ("func.echo",)),
        ("一般情况", ("phys.general",)),
        ("24小时尿蛋白定量", ("lab.urinalysis.protein",)),
        ("Blood_Tests", None),
        ("Imaging", None),
        ("Zonulin", None),
    ],
)
def test_names_of_records_are_resolved(name: str, expected: tuple[str, ...] | None) -> None:
    assert resolve_name(name) == expected


def test_every_name_of_the_catalogue_is_read_back() -> None:
    book = catalogue()
    lost = {
        (exam.code, language)
        for exam in book
        for language in ("en", "zh")
        if "not stated" not in exam.name_en and not _understood(book.name(exam.code, language), exam.code)
    }
    assert lost == set()


def _understood(name: str, code: str) -> bool:
    book = catalogue()
    found = resolve_name(name) or ()
    return any(code == c or code in book.ancestors(c) or c in book.ancestors(code) for c in found)


def test_a_long_utterance_is_cut_and_surrogates_do_no_harm() -> None:
    assert len(codes("ct of the chest, " * 600_000)) == 1
    assert codes("\ud800CBC\x00\x07") == ["lab.cbc"]


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    reading = OrderReader([RecordedExam("a", ("lab.cbc",), ("Blood count",))]).read(text)
    assert all(item.text in text or item.text for item in reading.items)
    assert len({item.code for item in reading.items}) == len(reading.items)


def test_most_names_of_real_records_are_resolved() -> None:
    source = SHARED / "agentclinic" / "agentclinic_medqa.jsonl"
    if not source.exists():
        pytest.skip("the shared AgentClinic records are absent")
    records = [json.loads(line) for line in source.read_text("utf-8").splitlines()]
    names = {name for r in records for name in _leaves(r["OSCE_Examination"].get("Test_Results", {}), ())}
    resolved = sum(resolve_name(name) is not None for name in names)
    assert resolved / len(names) > 0.95


def _leaves(tree: object, path: tuple[str, ...]) -> list[str]:
    if isinstance(tree, dict) and tree:
        return [name for key, value in tree.items() for name in _leaves(value, (*path, key))]
    return [" > ".join(path)] if path else []
