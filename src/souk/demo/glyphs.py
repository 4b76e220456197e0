"""A bitmap typeface of five by seven dots, written as BDF (Adobe's Glyph Bitmap format 2.1)."""

from __future__ import annotations

# One byte per column from the left, the lowest bit at the top.
_COLUMNS = """
0 3E5149453E 1 00427F4000 2 4261514946 3 2141454B31 4 1814127F10 5 2745454539 6 3C4A494930
7 0171090503 8 3649494936 9 064949291E A 7E1111117E B 7F49494936 C 3E41414122 D 7F4141221C
E 7F49494941 F 7F09090901 G 3E4149497A H 7F0808087F I 00417F4100 J 2040413F01 K 7F08142241
L 7F40404040 M 7F020C027F N 7F0408107F O 3E4141413E P 7F09090906 Q 3E4151215E R 7F09192946
S 4649494931 T 01017F0101 U 3F4040403F V 1F2040201F W 3F4038403F X 6314081463 Y 0708700807
Z 6151494543 . 0060600000 , 0050300000 - 0808080808 ! 00005F0000 ? 0201510906
"""


def _glyphs() -> dict[str, bytes]:
    words = _COLUMNS.split()
    return {sign: bytes.fromhex(word) for sign, word in zip(words[::2], words[1::2], strict=True)}


def font_bdf() -> str:
    """The whole font as the text of a BDF file."""
    glyphs = {" ": bytes(5)} | _glyphs()
    lines = [
        "STARTFONT 2.1", "FONT -souk-seed-medium-r-normal--8-80-75-75-c-60-iso10646-1",
        "SIZE 8 75 75", "FONTBOUNDINGBOX 6 8 0 -1", "STARTPROPERTIES 2", "FONT_ASCENT 7",
        "FONT_DESCENT 1", "ENDPROPERTIES", f"CHARS {len(glyphs)}",
    ]  # fmt: skip
    for sign, columns in sorted(glyphs.items()):
        rows = [
            sum(0x80 >> place for place, column in enumerate(columns) if column >> row & 1)
            for row in range(7)
        ]
        lines += [
            f"STARTCHAR U+{ord(sign):04X}", f"ENCODING {ord(sign)}", "SWIDTH 750 0", "DWIDTH 6 0",
            "BBX 5 7 0 0", "BITMAP", *(f"{row:02X}" for row in rows), "ENDCHAR",
        ]  # fmt: skip
    return "\n".join([*lines, "ENDFONT", ""])
