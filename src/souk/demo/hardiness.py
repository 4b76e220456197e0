"""USDA hardiness zones of species in the demo data, from general horticultural knowledge.

Ranges are the usual ones of nursery catalogues for the species, not for every cultivar. A species
of the San Francisco list that is not named here is known to grow in zone 10, where that city lies.
"""

from __future__ import annotations

SAN_FRANCISCO = (10, 10)

_ZONES = """
3-9 Acer rubrum|Achillea millefolium|Alcea rosea
2-10 Acer negundo
5-9 Acer buergeranum|Acer macrophyllum|Aesculus x carnea|Ginkgo biloba|Koelreuteria paniculata
7-8 Aesculus californica
2-7 Amelanchier alnifolia
3-8 Anaphalis margaritacea|Aquilegia formosa|Prunella vulgaris|Tilia cordata|Cornus sericea
7-9 Arbutus menziesii|Berberis pinnata|Cercis occidentalis|Quercus agrifolia|Laurus nobilis
8-10 Acacia baileyana|Ceanothus thyrsiflorus|Eucalyptus polyanthemos|Ceratonia siliqua
9-11 Agonis flexuosa|Jacaranda mimosifolia|Metrosideros excelsa|Phoenix canariensis
9-11 Callistemon viminalis|Washingtonia robusta|Syagrus romanzoffiana|Brahea edulis
4-8 Armeria maritima|Crataegus laevigata|Crataegus phaenopyrum|Corylus cornuta|Heuchera micrantha
4-9 Liriodendron tulipifera|Platanus x acerifolia|Fragaria chiloensis|Panicum virgatum
5-8 Pyrus calleryana|Prunus serrulata|Prunus cerasifera|Lavandula sp.|Vaccinium ovatum
5-9 Fragaria vesca|Liquidambar styraciflua|Ulmus parvifolia|Sambucus nigra|Symphoricarpos albus
3-9 Gleditsia triacanthos|Populus nigra|Festuca rubra|Deschampsia cespitosa|Juncus effusus
6-9 Pistacia chinensis|Salvia clevelandii|Iris douglasiana|Ribes sanguineum|Muhlenbergia rigens
7-9 Magnolia grandiflora|Sequoia sempervirens|Fremontodendron|Garrya elliptica|Ceanothus
8-10 Olea europaea|Rosmarinus officinalis|Quercus suber|Salvia apiana|Cordyline australis
9-11 Callistemon citrinus|Melaleuca quinquenervia|Phoenix dactylifera|Pittosporum undulatum
4-6 Pseudotsuga menziesii
7-11 Verbena bonariensis
6-10 Eschscholzia californica
4-8 Nepeta racemosa|Sambucus racemosa|Holodiscus discolor|Philadelphus lewisii
3-10 Typha latifolia|Gaillardia x grandiflora
5-9 Polystichum munitum|Dicentra formosa|Sedum spathulifolium|Mimulus cardinalis
10-12 Mangifera indica|Cocos nucifera|Theobroma cacao|Bertholletia excelsa
11-12 Ananas comosus
9-11 Psidium guajava|Citrus aurantiifolia|Capsicum annuum|Simmondsia chinensis|Agave sisalana
3-8 Malus domestica|Rubus idaeus|Vaccinium corymbosum
4-9 Prunus domestica|Equisetum hyemale
6-10 Vitis vinifera|Diospyros kaki
"""


def _table() -> dict[str, tuple[int, int]]:
    zones: dict[str, tuple[int, int]] = {}
    for line in _ZONES.strip().splitlines():
        span, names = line.split(" ", 1)
        low, high = span.split("-")
        for name in names.split("|"):
            zones.setdefault(name, (int(low), int(high)))
    return zones


ZONES = _table()


def zones_of(scientific_name: str) -> tuple[int, int]:
    """Lowest and highest zone; a cultivar or subspecies has its species' range."""
    words = scientific_name.split()
    for length in (len(words), 3, 2, 1):
        found = ZONES.get(" ".join(words[:length]))
        if found:
            return found
    return SAN_FRANCISCO
