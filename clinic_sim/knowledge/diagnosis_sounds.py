"""Chinese diagnoses with wrong characters: 脑埂死 and 胆襄结石 are put right by how the characters sound and look.

Owns `data/sounds_zh.tsv`. Every character becomes a private one that stands for its sound, so that a name and its
misspelling are one string; what was asked is read by the same tries as everything else.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache, lru_cache
from itertools import chain, islice
from typing import NamedTuple

from clinic_sim.knowledge import diagnosis_index as index
from clinic_sim.knowledge import diagnosis_text as text
from clinic_sim.knowledge.building import uncollected
from clinic_sim.knowledge.diagnosis_words import table_rows, words
from clinic_sim.knowledge.packed import Table

LONGEST = 40
"""Characters of a text beyond which its misspellings are not sought."""
_FIRST_SOUND = 0xE000
_COST = 0.22
"""What a text loses that is wrong in all its characters; half of them are the most that may be."""
_SHORTEST_INSIDE = 3
"""Characters of a name from which it is sought inside a text; two sound like too much."""


class Corrected(NamedTuple):
    """A name with its characters put right."""

    name: str
    faith: float
    """How little of it had to be changed, in (0, 1)."""


def corrections(name: str) -> list[Corrected]:
    """The known names that sound like a canonical name, then the name with those put right that it holds."""
    if not 2 <= len(name) <= LONGEST:
        return []
    heard = sound(name)
    spelt = _spellings()
    whole = _right(spelt.get(heard), name)
    inside = _put_right(name, heard)
    listed = dict.fromkeys(whole if inside is None else [*whole, inside])
    return [Corrected(right, _faith(name, right)) for right in listed]


def guesses(name: str, any_letter: bool) -> list[Corrected]:
    """What a name may be that nothing is known of: with two of its characters put right by their sound, or any one but
    the first. Worth something only where it is a listed name, and where all such names mean one disease.

    Args:
        any_letter: Whether a character may be wrong that stands in other names; else only one that stands in none.
    """
    if not _SHORTEST_GUESSED <= len(name) <= _LONGEST_GUESSED:
        return []
    heard, spelt = sound(name), _spellings()
    found = {
        name[:at] + right + name[at + 2 :]: None
        for at in range(len(name) - 1)
        for right in _right(spelt.get(heard[at : at + 2]), name[at : at + 2])
    }
    if not found:
        names, known = index.chinese().exact, _letters()
        unknown = [at for at, letter in enumerate(name) if letter not in known]
        for at in unknown or (range(1, len(name)) if any_letter else ()):
            before, after = name[:at], name[at + 1 :]
            found |= {right: None for letter in known if (right := before + letter + after) in names}
    return [Corrected(right, _faith(name, right) - _GUESSED) for right in found]


_SHORTEST_GUESSED, _LONGEST_GUESSED = 4, 12
_GUESSED = 0.1
"""What a guess is worth less than a correction."""


@cache
def _letters() -> dict[str, None]:
    """The characters of all names, in the order in which they occur first."""
    return dict.fromkeys("".join(index.chinese().exact))


def _put_right(name: str, heard: str) -> str | None:
    """The name with every known one that it only sounds like written as it should be; None when there is none."""
    spelt, known = _spellings(), index.chinese().exact
    kept = [(start, end) for start, end in known.places(name) if end - start >= 2]
    taken: list[tuple[int, int]] = []
    right = list(name)
    for start, end in sorted(spelt.places(heard), key=lambda place: (place[0] - place[1], place[0])):
        if end - start < _SHORTEST_INSIDE or any(start < b and a < end for a, b in taken):
            continue
        # What is a name as it stands is not misspelt, and no part of a name that is.
        if any(a <= start and end <= b for a, b in kept):
            continue
        best = next(iter(_right(spelt[heard[start:end]], name[start:end])), None)
        if best is not None:
            right[start:end] = best
            taken.append((start, end))
    return "".join(right) if taken else None


def _right(spellings: tuple[str, ...] | str | None, name: str) -> list[str]:
    """The spellings near enough to what was written, the nearest first."""
    listed = () if spellings is None else (spellings,) if isinstance(spellings, str) else spellings
    spelt = dict.fromkeys(right for form in listed for right in _written(form) if len(right) == len(name))
    near = [(_wrong(name, right), right) for right in spelt if 0 < 2 * _wrong(name, right) <= len(name)]
    # Of two characters one is wrong: then it must sound just like the right one, for 恶性 is no 恶心.
    strict = len(name) == 2
    return [
        right
        for _, right in sorted(near, key=lambda pair: pair[0])
        if not strict or _syllables(name) == _syllables(right)
    ]


def _written(form: str) -> tuple[str, str]:
    """A name of the tables as it is looked up, and in its own words: 脑梗塞 is looked up as 脑梗死."""
    prepared = text.prepare(form)
    return text.chinese_name(prepared), text.unpunctuated(prepared)


def _wrong(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def _faith(name: str, right: str) -> float:
    return 1 - _COST * _wrong(name, right) / len(name) - 0.02


def simplified(prepared: str) -> str:
    """Text in simplified characters, as far as names of diseases need them."""
    return prepared.translate(_TRADITIONAL)


_TRADITIONAL = str.maketrans(
    "顱頸項頭腦腎臟髒腫瘍癥癲癇癬癰癱癢瘻瘡瘧痙損傷膽膚膿脹腸脈膠臉節關鏈鏡鐵鈉鉀鈣鎂銅鉛鋅錳鉻銀鋁鉈鎘壓動靜發熱陰陽圍緣線經絡維縮縱結織細網糾繼續絞綜緊總級約純紅紋纖給統絲綠縫繭歲兒產婦嬰媽憂鬱鬆騰驚懼慮"
    "憶應態惡悶愛戀懷癒齦齒齲頜顎顳頰額顏顫類顆預頑頻題風飢飲餘饋養馬駝驗體髖髕髏鬍鬚魚鱗鳥鴨鵝鹼麥黃點黴齊龍龜亂亞來侖係個們偽側傳債傾儀價優兩內凍淒幾凱別刪則創劃劑劍勞勢區協單卻厭參雙變葉號吳呂員問啞喚喪"
    "嘔嗆噴嚥嚴國圓團園執報場塊塗墜壞壯壺壽夢夾奪奧妝姦娛婁學孫宮寧實寬審寫將專尋對導層屬嶽幣帶幹廣廠張強彈彎彙後徑從復徵慣戶戰攣掛採換搖擊擔據擠擴擬攝攜敗敵數斷於時晝暈暫會東條楊業極構標樣樞樹橋機橫檢櫻歐"
    "殘殼毀氣氫汙決沒況淚淺測渾湧溫滅滲滯滿漢漸潰潔澤濃濕濟濾瀉灣災為烏煙煩燒燙營爛牽狀狹獨獲現環甦畫異疊痺瘋療盜盡監盤眾睏瞼矯硯確碼磚礎祿禍離種稱積穩穀窩窪竅竊競筆範築簡糧糞緻縣纏缽罰羅義習聖聞聯聰聲聽職"
    "聾肅脅脫腳膕臨與興舉舊艙艱蕁蔔薦薩藍藥蘆蘇蘋蘭處虛蟲蟯蠅蠍衛衝裝補裡製複褲襲見規視親覺觀觸計訊記訪設許訴診註評試話該詳語誤說調談請論諾謂講識譫護讓豬負貧費貼質賁賓購贅贏趨跡踐蹠軀車軌軟軸較輕輪輸轉辦農"
    "遲遺還邊鄰醫醬釋針鈴鉤錐錯鎖鐘鑽長門閃閉開間閥閾闌闊隊階隱隸際險雜難雲電霧靈韌響頁頂順頌顧顯飛飽餓館饑騎驅髮鬥鬧魘鯊鹽麵黏鼴癤瘺囉鈎痠",
    "颅颈项头脑肾脏脏肿疡症癫痫癣痈瘫痒瘘疮疟痉损伤胆肤脓胀肠脉胶脸节关链镜铁钠钾钙镁铜铅锌锰铬银铝铊镉压动静发热阴阳围缘线经络维缩纵结织细网纠继续绞综紧总级约纯红纹纤给统丝绿缝茧岁儿产妇婴妈忧郁松腾惊惧虑"
    "忆应态恶闷爱恋怀愈龈齿龋颌颚颞颊额颜颤类颗预顽频题风饥饮余馈养马驼验体髋髌髅胡须鱼鳞鸟鸭鹅碱麦黄点霉齐龙龟乱亚来仑系个们伪侧传债倾仪价优两内冻凄几凯别删则创划剂剑劳势区协单却厌参双变叶号吴吕员问哑唤丧"
    "呕呛喷咽严国圆团园执报场块涂坠坏壮壶寿梦夹夺奥妆奸娱娄学孙宫宁实宽审写将专寻对导层属岳币带干广厂张强弹弯汇后径从复征惯户战挛挂采换摇击担据挤扩拟摄携败敌数断于时昼晕暂会东条杨业极构标样枢树桥机横检樱欧"
    "残壳毁气氢污决没况泪浅测浑涌温灭渗滞满汉渐溃洁泽浓湿济滤泻湾灾为乌烟烦烧烫营烂牵状狭独获现环苏画异叠痹疯疗盗尽监盘众困睑矫砚确码砖础禄祸离种称积稳谷窝洼窍窃竞笔范筑简粮粪致县缠钵罚罗义习圣闻联聪声听职"
    "聋肃胁脱脚腘临与兴举旧舱艰荨卜荐萨蓝药芦苏苹兰处虚虫蛲蝇蝎卫冲装补里制复裤袭见规视亲觉观触计讯记访设许诉诊注评试话该详语误说调谈请论诺谓讲识谵护让猪负贫费贴质贲宾购赘赢趋迹践跖躯车轨软轴较轻轮输转办农"
    "迟遗还边邻医酱释针铃钩锥错锁钟钻长门闪闭开间阀阈阑阔队阶隐隶际险杂难云电雾灵韧响页顶顺颂顾显飞饱饿馆饥骑驱发斗闹魇鲨盐面粘鼹疖瘘罗钩酸",
)


def sound(name: str) -> str:
    """A name with every character as its sound."""
    return "".join(map(_sound, name))


@lru_cache(maxsize=8_192)
def _sound(letter: str) -> str:
    number = _syllable(letter)
    return letter if number is None else chr(_FIRST_SOUND + _sounds().alike[number])


def _syllables(name: str) -> list[int | None]:
    return [_syllable(letter) for letter in name]


def _syllable(letter: str) -> int | None:
    """The number of the syllable that a character is read as."""
    if not "\u3400" <= letter <= "\u9fff":
        return None
    sounds = _sounds()
    number = sounds.others.get(letter)
    if number is not None:
        return number
    place = _place(letter)
    return None if place is None else bisect_right(sounds.places, place) - 1


_LISTED_BY_SOUND = range(0xB0, 0xD8)
"""The lead bytes under which GB 2312 lists characters by their sound."""


def _place(letter: str) -> int | None:
    """Where GB 2312 lists a character, if that is by its sound."""
    try:
        lead, trail = letter.encode("gb2312")
    except UnicodeEncodeError:
        return None
    return lead << 8 | trail if lead in _LISTED_BY_SOUND else None


class _Sounds(NamedTuple):
    places: list[int]
    """Where each sound begins."""
    alike: list[int]
    """Each sound's number, the same for those that many speakers do not tell apart."""
    others: dict[str, int]
    """The sounds of characters that are not read from their place."""


_ALIKE = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("eng", "en"), ("ing", "in"))


@cache
def _sounds() -> _Sounds:
    places: list[int] = []
    alike: list[int] = []
    others: dict[str, int] = {}
    numbers: dict[str, int] = {}
    for _, (syllable, first, more) in table_rows("sounds_zh.tsv", 3):
        for form, plain in _ALIKE:
            syllable = syllable.replace(form, plain)
        others |= dict.fromkeys(more, len(places))
        places.append(_place(first) or 0)
        alike.append(numbers.setdefault(syllable, len(numbers)))
    return _Sounds(places, alike, others)


@cache
@uncollected
def _spellings() -> Table[tuple[str, ...] | str]:
    """The names of the tables, the sites and what can be wrong there, by their sound; as the tables write them, since
    those strings are in memory already."""
    names = index.chinese().exact
    listed = (form.name for name in names if not name.isascii() for form in index.forms(names[name]))
    forms = chain(listed, words().sites_zh, words().heads_zh, words().equal_zh)
    by_sound: dict[str, tuple[str, ...] | str] = {}
    while some := list(islice(forms, _AT_ONCE)):
        prepared = list(map(text.prepare, some))
        for spelt in (list(text.chinese_names(prepared)), list(text.plain_names(prepared))):
            for form, name, heard in zip(some, spelt, _sounds_of(spelt), strict=True):
                if len(name) < 2 or name.isascii():
                    continue
                known = by_sound.setdefault(heard, form)
                if form not in ((known,) if isinstance(known, str) else known):
                    by_sound[heard] = (known, form) if isinstance(known, str) else (*known, form)
    return Table(by_sound)


_AT_ONCE = 1_000


def _sounds_of(names: list[str]) -> list[str]:
    """`sound` of many names in one pass."""
    together = "\0".join(names)
    return together.translate({ord(letter): sound(letter) for letter in set(together)}).split("\0")
