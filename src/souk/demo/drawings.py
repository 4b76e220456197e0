"""Drawings for goods whose sources have no photograph: plants by their kind and flower colours,
other things by their category. SVG, 900 by 900, the same for the same name."""

from __future__ import annotations

import math
import random

from souk.demo.model import SpeciesSpec

_SIZE = 900
_GROUND = "#e9efe3"
_PAPERS = ("#f4efe6", "#e8eef2", "#eef0e4", "#f3e9e6", "#ece9f2", "#e6f0ee")
_FLOWERS = {
    "white": "#ffffff", "yellow": "#f2c230", "orange": "#ec8b2c", "red": "#cf3434",
    "pink": "#ec9ab8", "magenta": "#c13a8c", "purple": "#7d4aa5", "lavender": "#b7a1dc",
    "indigo": "#41479b", "blue": "#4d7fc4", "burgundy": "#7a1f3a", "brown": "#8a5a35",
    "green": "#a9c26a",
}  # fmt: skip
_LEAVES = ("#3f7a4c", "#4d8a4f", "#5f9456", "#2f6b4a", "#7aa35a")
_COLOURS = {
    "black": "#2d2f33", "white": "#f7f7f5", "silver": "#c3c8cc", "steel": "#b9c0c5",
    "grey": "#8f969b", "blue": "#3f6ea5", "navy": "#2b3f63", "green": "#4e7f5b",
    "red": "#b8433f", "orange": "#d9812f", "yellow": "#e0b93c", "pink": "#d990a6",
    "purple": "#7a5a99", "brown": "#8a6243", "gold": "#c7a24f", "copper": "#b06c45",
    "wood": "#b98a5a", "clay": "#b5643f", "plastic": "#5a86a8", "metal": "#a7adb2",
    "wicker": "#c59c62", "ceramic": "#ddd6c8", "teal": "#3c8287", "cream": "#efe6d2",
}  # fmt: skip

# {c} is the thing's colour, {d} a dark line, {l} a light part.
_THINGS = {
    "coffee-machines": '<path d="M280 220h340v110H420v250h200v90H280z" fill="{c}"/>'
    '<path d="M470 330h90v60h-90z" fill="{d}"/><path d="M450 470h130v90q0 20-20 20h-90'
    'q-20 0-20-20z" fill="{l}"/>',
    "air-fryers": '<rect x="270" y="220" width="360" height="460" rx="90" fill="{c}"/>'
    '<rect x="310" y="420" width="280" height="210" rx="40" fill="{d}"/>'
    '<rect x="400" y="500" width="100" height="40" rx="20" fill="{l}"/>',
    "blenders": '<path d="M340 180h220l-30 320H370z" fill="{l}" stroke="{d}" stroke-width="10"/>'
    '<path d="M350 500h200l40 190H310z" fill="{c}"/><circle cx="450" cy="600" r="34" fill="{d}"/>',
    "kettles": '<path d="M340 330q110-90 220 0l50 340H290z" fill="{c}"/>'
    '<path d="M570 360q130 20 60 240" fill="none" stroke="{d}" stroke-width="34"/>'
    '<path d="M345 360l-90-50 60 130z" fill="{c}"/><circle cx="450" cy="270" r="24" fill="{d}"/>',
    "toasters": '<rect x="220" y="360" width="460" height="290" rx="70" fill="{c}"/>'
    '<path d="M300 360v-80q0-50 50-50h200q50 0 50 50v80z" fill="#d9a766"/>'
    '<rect x="640" y="440" width="60" height="34" rx="12" fill="{d}"/>',
    "food-processors": '<rect x="320" y="220" width="260" height="270" rx="50" fill="{l}" '
    'stroke="{d}" stroke-width="10"/><path d="M300 490h300l30 190H270z" fill="{c}"/>'
    '<path d="M450 300v120m-60-40l120-20" stroke="{d}" stroke-width="14"/>',
    "air-purifiers": '<rect x="320" y="170" width="260" height="540" rx="110" fill="{c}"/>'
    '<path d="M380 300h140M380 350h140M380 400h140M380 450h140" stroke="{d}" stroke-width="12"/>',
    "humidifiers": '<path d="M450 180q190 240 150 380-30 130-150 130T300 560q-40-140 150-380z" '
    'fill="{c}"/><path d="M370 560q20 70 80 80" fill="none" stroke="{l}" stroke-width="22"/>',
    "fans": '<circle cx="450" cy="360" r="200" fill="none" stroke="{d}" stroke-width="18"/>'
    '<path d="M450 360q-20-150 60-160 20 100-60 160 150-20 160 60-100 20-160-60 20 150-60 160'
    '-20-100 60-160-150 20-160-60 100-20 160 60z" fill="{c}"/>'
    '<path d="M435 560h30v120h90v30H345v-30h90z" fill="{d}"/>',
    "steam-generators": '<path d="M220 580q40-210 250-230h170q40 0 40 40v190z" fill="{c}"/>'
    '<path d="M360 400q100-150 260-90" fill="none" stroke="{d}" stroke-width="40"/>'
    '<path d="M210 590h480v50H210z" fill="{d}"/>',
    "handheld-steamers": '<path d="M300 230h250q60 0 60 60v60q0 60-60 60H300z" fill="{c}"/>'
    '<path d="M440 400h100l30 290H460z" fill="{d}"/><path d="M260 260v120M220 280v80" '
    'stroke="{d}" stroke-width="16"/>',
    "cordless-vacuums": '<path d="M430 300h40v310h-40z" fill="{d}"/><rect x="380" y="160" '
    'width="150" height="170" rx="50" fill="{c}"/><path d="M330 610h240l30 70H300z" fill="{c}"/>',
    "robot-vacuums": '<ellipse cx="450" cy="500" rx="270" ry="150" fill="{d}"/><ellipse cx="450" '
    'cy="470" rx="270" ry="150" fill="{c}"/><ellipse cx="450" cy="450" rx="80" ry="44" '
    'fill="{l}"/>',
    "hair-dryers": '<path d="M250 260h270q130 0 130 110T520 480H250z" fill="{c}"/>'
    '<path d="M430 470h110l40 220H470z" fill="{d}"/><path d="M220 280h30v180h-30z" fill="{d}"/>',
    "hair-straighteners": '<path d="M430 160h60l-20 540h-50z" fill="{c}"/><path d="M330 200l56-20'
    ' 70 510h-46z" fill="{d}"/>',
    "trimmers": '<rect x="380" y="280" width="140" height="420" rx="60" fill="{c}"/>'
    '<path d="M370 280v-70h30v40h20v-40h20v40h20v-40h20v40h20v-40h30v70z" fill="{d}"/>',
    "electric-shavers": '<rect x="390" y="380" width="120" height="330" rx="56" fill="{c}"/>'
    '<circle cx="390" cy="280" r="70" fill="{d}"/><circle cx="510" cy="280" r="70" fill="{d}"/>'
    '<circle cx="450" cy="380" r="70" fill="{d}"/>',
    "sneakers": '<path d="M200 420h130q60 90 180 100l150 40q50 20 40 70H200z" fill="{c}"/>'
    '<path d="M190 620h520v50H190z" fill="{l}" stroke="{d}" stroke-width="8"/>'
    '<path d="M360 470l60-40M420 500l60-40M480 520l60-40" stroke="{d}" stroke-width="14"/>',
    "sweatshirts": '<path d="M360 240q90 80 180 0l140 90-70 130-50-30v250H340V430l-50 30-70-130z" '
    'fill="{c}"/><path d="M390 540h120v70H390z" fill="none" stroke="{d}" stroke-width="10"/>',
    "t-shirts": '<path d="M360 230q90 70 180 0l150 90-70 120-70-40v290H350V400l-70 40-70-120z" '
    'fill="{c}"/><circle cx="450" cy="440" r="50" fill="{l}"/>',
    "polo-shirts": '<path d="M370 230h160l160 90-70 120-70-40v290H350V400l-70 40-70-120z" '
    'fill="{c}"/><path d="M380 230l70 110 70-110" fill="{l}"/>',
    "beanies": '<path d="M270 540q0-290 180-290t180 290z" fill="{c}"/><rect x="250" y="530" '
    'width="400" height="110" rx="40" fill="{d}"/><circle cx="450" cy="230" r="46" fill="{l}"/>',
    "scarfs": '<path d="M300 260h300v110H300z" fill="{c}"/><path d="M340 370h110v320H340z" '
    'fill="{c}"/><path d="M350 620h90M350 660h90" stroke="{l}" stroke-width="14"/>',
    "sunglasses": '<circle cx="320" cy="450" r="110" fill="{d}"/><circle cx="580" cy="450" '
    'r="110" fill="{d}"/><path d="M200 400h500" stroke="{c}" stroke-width="30"/>',
    "homewares": '<path d="M280 300h260v310q0 50-50 50H330q-50 0-50-50z" fill="{c}"/>'
    '<path d="M540 370q120 0 100 100t-100 90" fill="none" stroke="{c}" stroke-width="38"/>',
    "juices": '<path d="M400 160h100v110q70 50 70 140v280q0 30-30 30H360q-30 0-30-30V410q0-90 '
    '70-140z" fill="{l}" stroke="{d}" stroke-width="8"/><path d="M330 460h240v230q0 30-30 30H360'
    'q-30 0-30-30z" fill="{c}"/>',
    "indoor": '<path d="M300 300h300v180H300z" fill="{c}"/><path d="M260 470h380v80H260z" '
    'fill="{c}"/><path d="M290 550l-30 150M610 550l30 150M330 550v150M570 550v150" stroke="{d}" '
    'stroke-width="18"/>',
    "garden": '<path d="M300 430h300l-40 270H340z" fill="{c}"/><path d="M280 390h340v50H280z" '
    'fill="{d}"/><path d="M450 390q-20-160-130-190 10 130 130 190 20-170 140-200-10 140-140 200z" '
    'fill="#4d8a4f"/>',
    "lamp": '<path d="M340 180h220l60 190H280z" fill="{c}"/><path d="M438 370h24v310h-24z" '
    'fill="{d}"/><path d="M350 670h200v30H350z" fill="{d}"/>',
    "table": '<ellipse cx="450" cy="370" rx="260" ry="70" fill="{c}"/><path d="M280 410l-30 290'
    'M620 410l30 290M450 440v260" stroke="{d}" stroke-width="22"/>',
    "vase": '<path d="M390 200h120l-20 120q120 90 110 220-10 150-150 150T300 540q-10-130 110-220z" '
    'fill="{c}"/><path d="M320 500q130 50 260 0" fill="none" stroke="{l}" stroke-width="14"/>',
    "shelf": '<path d="M300 170h300v530H300z" fill="{c}"/><path d="M325 200h250v130H325zM325 360'
    'h250v130H325zM325 520h250v130H325z" fill="{d}"/>'
    '<path d="M350 250h30v80h-30zM390 230h24v100h-24zM430 430h90v60h-90z" fill="{l}"/>',
    "pillow": '<path d="M250 260q200 40 400 0-40 200 0 400-200-40-400 0 40-200 0-400z" fill="{c}"/>'
    '<path d="M330 340q120 24 240 0" fill="none" stroke="{l}" stroke-width="12"/>',
    "can": '<path d="M340 350h240l30 340H310z" fill="{c}"/><path d="M320 560L190 380l-50 20" '
    'fill="none" stroke="{c}" stroke-width="36"/><path d="M400 350q50-180 210-60-10 130-20 200" '
    'fill="none" stroke="{d}" stroke-width="24"/>',
    "barrow": '<path d="M260 330h380l-80 190H340z" fill="{c}"/><path d="M230 330L120 290M560 520'
    'l60 170" stroke="{d}" stroke-width="24"/><circle cx="380" cy="620" r="74" fill="{d}"/>',
    "trowel": '<path d="M420 420h60q90 130-30 290-120-160-30-290z" fill="{l}" stroke="{d}" '
    'stroke-width="8"/><path d="M438 340h24v90h-24z" fill="{d}"/><rect x="415" y="170" width="70" '
    'height="180" rx="34" fill="{c}"/>',
    "gloves": '<path d="M330 690V470l-50-190h44l40 120V220h46v180h20V210h46v190h20V240h46v190'
    'l50-60 40 26-90 150v144z" fill="{c}"/><path d="M330 610h212v80H330z" fill="{d}"/>',
}  # fmt: skip
_BY_WORD = {
    "lamp": "lamp", "table": "table", "pots": "vase", "vase": "vase", "bowl": "vase",
    "pitcher": "vase", "mug": "homewares", "cabinet": "shelf", "shelf": "shelf",
    "pillows": "pillow", "cushion": "pillow", "can": "can", "wheelbarrow": "barrow",
    "trowel": "trowel", "gloves": "gloves",
}  # fmt: skip
_HOME = {"indoor", "garden", "homewares"}
_LIKE = {"irons": "steam-generators", "upright-vacuums": "cordless-vacuums"}


def thing(category: str, name: str, *, hint: str = "") -> str:
    """A drawing of a thing of this category; `hint` may name its colour or material."""
    rng = random.Random(name)  # noqa: S311  variety, not secrets
    words = f"{hint} {name}".casefold().split()
    colour = next((_COLOURS[word] for word in words if word in _COLOURS), None)
    colour = colour or rng.choice(sorted(_COLOURS.values()))
    named = (_BY_WORD[word] for word in name.casefold().split() if word in _BY_WORD)
    body = _THINGS[next(named, category) if category in _HOME else _LIKE.get(category, category)]
    drawn = body.replace("{c}", colour).replace("{d}", "#2f3336").replace("{l}", "#fbfaf6")
    return _svg(rng.choice(_PAPERS), f'<ellipse cx="450" cy="715" rx="270" ry="24" '
                f'fill="#00000018"/><g stroke-linejoin="round">{drawn}</g>')  # fmt: skip


def plant(spec: SpeciesSpec) -> str:
    """A drawing of the plant's habit with flowers in its colours."""
    rng = random.Random(spec.scientific_name)  # noqa: S311  variety, not secrets
    kind = spec.plant_type.partition(" ")[0]
    draw = {"Shrub": _shrub, "Grass": _grass, "Vine": _vine}.get(kind, _herb)
    blooms = [_FLOWERS[colour] for colour in spec.flower_colours if colour in _FLOWERS]
    ground = '<ellipse cx="450" cy="760" rx="330" ry="46" fill="#cbb99a"/>'
    if kind == "Tree":
        conifer = "evergreen" in spec.plant_type and not blooms
        return _svg(_GROUND, ground + _tree(blooms, rng, conifer=conifer))
    return _svg(_GROUND, ground + draw(blooms, rng))


def _svg(paper: str, body: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_SIZE}" height="{_SIZE}" '
        f'viewBox="0 0 {_SIZE} {_SIZE}"><rect width="{_SIZE}" height="{_SIZE}" fill="{paper}"/>'
        f"{body}</svg>"
    )


def _dots(
    blooms: list[str], rng: random.Random, *, centre: tuple[float, float], spread: float, count: int
) -> str:
    parts: list[str] = []
    for _ in range(count if blooms else 0):
        angle, far = rng.uniform(0, 2 * math.pi), spread * math.sqrt(rng.random())
        x, y = centre[0] + far * math.cos(angle), centre[1] + far * math.sin(angle)
        parts.append(
            f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{rng.randint(8, 15)}" '
            f'fill="{rng.choice(blooms)}"/>'
        )
    return "".join(parts)


def _crown(rng: random.Random, *, centre: tuple[float, float], size: float, count: int) -> str:
    return "".join(
        f'<circle cx="{centre[0] + rng.uniform(-size, size):.0f}" '
        f'cy="{centre[1] + rng.uniform(-size, size) * 0.7:.0f}" '
        f'r="{size * rng.uniform(0.45, 0.7):.0f}" fill="{rng.choice(_LEAVES)}"/>'
        for _ in range(count)
    )


def _tree(blooms: list[str], rng: random.Random, *, conifer: bool) -> str:
    trunk = '<path d="M425 760q20-160 10-330h30q-8 170 12 330z" fill="#7a5a3c"/>'
    if conifer:
        layers = "".join(
            f'<path d="M450 {120 + step * 120}l{110 + step * 45} {190}H{340 - step * 45}z" '
            f'fill="{_LEAVES[step % 4]}"/>'
            for step in range(4)
        )
        return trunk + layers
    crown = _crown(rng, centre=(450, 340), size=170, count=16)
    return trunk + crown + _dots(blooms, rng, centre=(450, 340), spread=220, count=60)


def _shrub(blooms: list[str], rng: random.Random) -> str:
    crown = _crown(rng, centre=(450, 590), size=150, count=18)
    return crown + _dots(blooms, rng, centre=(450, 570), spread=200, count=50)


def _grass(blooms: list[str], rng: random.Random) -> str:
    blades: list[str] = []
    for _ in range(46):
        lean, high = rng.uniform(-260, 260), rng.uniform(300, 560)
        blades.append(
            f'<path d="M{450 + lean * 0.15:.0f} 765Q{450 + lean * 0.3:.0f} {765 - high:.0f} '
            f'{450 + lean:.0f} {765 - high * 0.92:.0f}" fill="none" '
            f'stroke="{rng.choice(_LEAVES)}" stroke-width="{rng.randint(5, 9)}"/>'
        )
    heads = _dots(blooms or ["#c9b27a"], rng, centre=(450, 330), spread=190, count=26)
    return "".join(blades) + heads


def _herb(blooms: list[str], rng: random.Random) -> str:
    parts: list[str] = []
    petals = rng.choice((5, 6, 8))
    for place in range(7):
        x, top = 230 + place * 73 + rng.uniform(-20, 20), rng.uniform(250, 480)
        green = rng.choice(_LEAVES)
        parts.append(
            f'<path d="M{450 + (x - 450) * 0.35:.0f} 765Q{x:.0f} 620 {x:.0f} {top:.0f}" '
            f'fill="none" stroke="{green}" stroke-width="9"/>'
        )
        for low in (0.35, 0.6):
            y, side = 765 - (765 - top) * low, rng.choice((-1, 1))
            foot = 450 + (x - 450) * (0.35 + 0.6 * low)
            parts.append(
                f'<path d="M{foot:.0f} {y:.0f}q{side * 60} -60 {side * 110} -20q{side * -50} 40 '
                f'{side * -110} 20z" fill="{green}"/>'
            )
        colour, size = rng.choice(blooms or ["#a9c26a"]), rng.randint(30, 46)
        parts.append(_flower(x, top, colour, petals, size))
    return "".join(parts)


def _flower(x: float, y: float, colour: str, petals: int, size: int) -> str:
    heart = "#e2b53a" if colour != _FLOWERS["yellow"] else "#8a5a35"
    leaves = "".join(
        f'<ellipse cx="{x:.0f}" cy="{y - size * 0.75:.0f}" rx="{size * 0.36:.0f}" '
        f'ry="{size * 0.62:.0f}" fill="{colour}" '
        f'transform="rotate({360 * place // petals} {x:.0f} {y:.0f})"/>'
        for place in range(petals)
    )
    return f'{leaves}<circle cx="{x:.0f}" cy="{y:.0f}" r="{size * 0.34:.0f}" fill="{heart}"/>'


def _vine(blooms: list[str], rng: random.Random) -> str:
    trellis = "".join(
        f'<path d="M{x} 160V765M260 {y}H640" stroke="#b59a72" stroke-width="12"/>'
        for x, y in ((290, 240), (450, 420), (610, 600))
    )
    stem = (
        '<path d="M450 765Q260 660 430 540T420 330 560 170" fill="none" stroke="#5a7a45" '
        'stroke-width="14"/>'
    )
    leaves = _crown(rng, centre=(440, 440), size=60, count=4) + "".join(
        f'<ellipse cx="{rng.uniform(290, 610):.0f}" cy="{rng.uniform(200, 680):.0f}" rx="34" '
        f'ry="24" fill="{rng.choice(_LEAVES)}"/>'
        for _ in range(34)
    )
    return trellis + stem + leaves + _dots(blooms, rng, centre=(450, 420), spread=230, count=34)
