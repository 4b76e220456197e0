"""Twelve shops and sixty customers. The people are invented; towns and postcodes are real."""

from __future__ import annotations

import unicodedata

from souk.demo.model import BuyerSpec, SellerSpec

_SHIPS_FAST = "Orders before noon leave the same day, Monday to Friday."
_THIRTY_DAYS = "Return anything unused within 30 days; we pay the postage back."
_FOURTEEN_DAYS = "Return within 14 days of delivery in the original packaging."

SELLERS = [
    SellerSpec(
        "alpenglow", "Alpenglow Outfitters", "Theresa Moser", "theresa@alpenglow.example.com",
        "AT", "Innsbruck", "6020", "Maria-Theresien-Straße 18", "",
        "Two mountain guides and a workshop under the Nordkette. We rent out everything we sell, "
        "so we know what lasts: harnesses, skis, shells and packs for people who go up on purpose.",
        f"{_SHIPS_FAST} Skis and poles go by freight and take two days longer.", _THIRTY_DAYS,
    ),
    SellerSpec(
        "velo-republic", "Vélo Republic", "Camille Perret", "camille@velo-republic.example.com",
        "FR", "Lyon", "69001", "12 Rue de la Martinière", "",
        "A bicycle and travel shop on the slopes of the Croix-Rousse. Bags that survive cobbles, "
        "shoes for the way up, lights for the way home.",
        "Colissimo in two to four days; pick-up in the shop from Tuesday to Saturday.",
        _THIRTY_DAYS,
    ),
    SellerSpec(
        "casa-moderna", "Casa Moderna", "Luca Bertolini", "luca@casa-moderna.example.com",
        "IT", "Bologna", "40121", "Via dell'Indipendenza 44", "BO",
        "Kitchen machines since 1978, now run by the founder's grandson. Every espresso machine is "
        "tested with a real coffee before it is packed, which is why ours smell good.",
        "Courier in one to three working days across the EU.",
        "Return within 30 days. Machines that have made coffee are taken back at 85 %.",
    ),
    SellerSpec(
        "klarluft", "Klarluft Haushalt", "Jana Richter", "jana@klarluft.example.com",
        "DE", "Leipzig", "04109", "Petersstraße 27", "",
        "Appliances for air, floors and clothes. We stock filters and spare parts for everything "
        "that we have ever sold.",
        f"{_SHIPS_FAST} DHL, insured.", _THIRTY_DAYS,
    ),
    SellerSpec(
        "loom-and-sole", "Loom & Sole", "Inês Carvalho", "ines@loom-and-sole.example.com",
        "PT", "Lisboa", "1200-109", "Rua do Norte 35", "",
        "Small runs of shirts, hoodies and plimsolls, sewn an hour from our shop in Bairro Alto, "
        "and a shelf of things for the home that our friends make.",
        "CTT in three to five days. Free pick-up in Lisbon.", _THIRTY_DAYS,
    ),
    SellerSpec(
        "jardim-atlantico", "Jardim Atlântico", "Rui Tavares", "rui@jardim-atlantico.example.com",
        "PT", "Sintra", "2710-631", "Rua Consiglieri Pedroso 9", "",
        "A nursery for gardens that get little water and much wind. Perennials, grasses and "
        "annuals, raised outdoors, never forced.",
        "Plants leave on Mondays and Tuesdays only, so that none spends a weekend in a depot.",
        "Live arrival guaranteed: send a photo within 48 hours and we replace the plant.",
    ),
    SellerSpec(
        "arboretum-kessler", "Arboretum Kessler", "Henrik Kessler", "henrik@kessler.example.com",
        "DE", "Freiburg im Breisgau", "79098", "Schlossbergring 6", "",
        "Trees, shrubs and climbers from our own fields at the edge of the Black Forest. We list "
        "the height a plant will have in your grandchildren's time, not in the catalogue photo.",
        "Freight with an appointment for anything above 10 litres. Nothing is sent in frost.",
        "Live arrival guaranteed. Trees that do not leaf out in their first spring are replaced.",
    ),
    SellerSpec(
        "orangerie-valmer", "Orangerie Valmer", "Élodie Fabre", "elodie@valmer.example.com",
        "FR", "Hyères", "83400", "Chemin du Moulin Premier 21", "",
        "Fruit of warm places, grown under old glass: olives, guavas, limes, and a cacao tree "
        "that flowers on its trunk. We tell you honestly which of them will never fruit in your "
        "kitchen.",
        "Insulated parcels, Mondays to Wednesdays. Tropical plants travel from April to October.",
        "Live arrival guaranteed: send a photo within 48 hours and we replace the plant.",
    ),
    SellerSpec(
        "casa-y-huerto", "Casa y Huerto", "Lucía Ferrer", "lucia@casa-y-huerto.example.com",
        "ES", "València", "46001", "Carrer dels Serrans 12", "Valencia",
        "Things for the room and the vegetable patch, from a town house with a courtyard behind "
        "the Torres de Serranos.",
        "Correos in two to five days; large furniture by appointment.", _FOURTEEN_DAYS,
    ),
    SellerSpec(
        "leaf-and-letter", "Leaf & Letter", "Aoife Brennan", "aoife@leaf-and-letter.example.com",
        "IE", "Dublin", "D02 Y006", "27 South William Street", "Co. Dublin",
        "Printable calendars, labels and patterns for gardeners, and one very small typeface. "
        "Everything is made from open plant data and comes with its sources.",
        "Downloads are ready as soon as the payment is through.",
        "Downloads can be returned until they have been opened.",
    ),
    SellerSpec(
        "marta-second-life", "Marta’s second life", "Marta Wieser", "marta@example.com",
        "AT", "Wien", "1070", "Neubaugasse 40", "",
        "I change sports more often than shoes. Everything has been used by me alone.",
        "Post AG within three days, or pick it up in the 7th district.",
        "Sold as seen: private sale. Ask before you buy, I answer in the evening.", private=True,
    ),
    SellerSpec(
        "joost-spullen", "Joosts spullen", "Joost van Dijk", "joost@example.com",
        "NL", "Utrecht", "3511 LX", "Oudegracht 158", "",
        "Moving from a house to a boat, so the kitchen has to shrink.",
        "PostNL on Saturdays; pick-up on any evening.",
        "Private sale, no returns. I describe every scratch that I can find.", private=True,
    ),
]  # fmt: skip

# country → (city, postcode, region, street) and names. One row of each is taken in turn.
_TOWNS: dict[str, list[tuple[str, str, str, str]]] = {
    "DE": [("Berlin", "10115", "", "Invalidenstraße"), ("Hamburg", "20095", "", "Mönckebergstraße"),
           ("Köln", "50667", "", "Hohe Straße"), ("München", "80331", "", "Sendlinger Straße")],
    "FR": [("Paris", "75011", "", "Rue Oberkampf"), ("Nantes", "44000", "", "Rue Crébillon"),
           ("Bordeaux", "33000", "", "Rue Sainte-Catherine")],
    "IT": [("Milano", "20121", "MI", "Via Brera"), ("Torino", "10121", "TO", "Via Garibaldi"),
           ("Firenze", "50122", "FI", "Via dei Neri")],
    "ES": [("Madrid", "28004", "Madrid", "Calle de Fuencarral"),
           ("Barcelona", "08002", "Barcelona", "Carrer de Ferran"),
           ("Sevilla", "41001", "Sevilla", "Calle Sierpes")],
    "NL": [("Amsterdam", "1012 JS", "", "Nes"), ("Rotterdam", "3011 AA", "", "Hoogstraat"),
           ("Groningen", "9712 HN", "", "Oosterstraat")],
    "BE": [("Gent", "9000", "", "Veldstraat"), ("Bruxelles", "1000", "", "Rue Antoine Dansaert")],
    "AT": [("Graz", "8010", "", "Herrengasse"), ("Salzburg", "5020", "", "Linzer Gasse")],
    "PT": [("Porto", "4050-014", "", "Rua das Flores"),
           ("Coimbra", "3000-150", "", "Rua da Sofia")],
    "IE": [("Galway", "H91 E9T6", "Co. Galway", "Quay Street"),
           ("Cork", "T12 W8KX", "Co. Cork", "Oliver Plunkett Street")],
    "FI": [("Helsinki", "00100", "", "Fredrikinkatu"), ("Turku", "20100", "", "Linnankatu")],
}  # fmt: skip
_NAMES = {
    "DE": "Anke Vogel|Jonas Brandt|Miriam Scholz|Felix Krüger|Ayşe Demir|Lukas Hartmann|"
    "Greta Winkler|Tobias Lang|Nele Albrecht|Paul Seidel",
    "FR": "Chloé Martin|Hugo Lefèvre|Inès Benali|Jules Moreau|Manon Girard|Théo Roussel|"
    "Sarah Cohen|Baptiste Leroy",
    "IT": "Giulia Romano|Matteo Conti|Chiara Greco|Alessandro Fontana|Martina Ricci|Davide Galli|"
    "Elena Marchetti",
    "ES": "Carmen Ortega|Pablo Navarro|Nuria Vidal|Álvaro Molina|Marta Iglesias|Sergio Ramos Pardo|"
    "Laia Puig",
    "NL": "Sanne de Vries|Bram Jansen|Fatima el Amrani|Daan Visser|Lotte Bakker|Ruben Smit",
    "BE": "Emma Peeters|Noah Claes|Camille Dubois|Wout Maes|Yasmine Haddad",
    "AT": "Katharina Gruber|Stefan Huber|Lena Steiner|Markus Pichler|Sophie Berger",
    "PT": "Beatriz Sousa|Tiago Ferreira|Mariana Lopes|João Almeida",
    "IE": "Niamh Kelly|Seán Murphy|Ciara Walsh|Oisín Byrne",
    "FI": "Aino Korhonen|Eero Mäkinen|Helmi Nieminen|Onni Virtanen",
}


def _mailbox(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.replace("ø", "o").replace("ı", "i"))
    words = "".join(char for char in plain if char.isascii() and (char.isalpha() or char == " "))
    return ".".join(words.casefold().split()) + "@example.com"


def buyers() -> list[BuyerSpec]:
    """Sixty customers in ten countries of the euro."""
    found: list[BuyerSpec] = []
    for country, names in _NAMES.items():
        towns = _TOWNS[country]
        for index, name in enumerate(names.split("|")):
            city, postal_code, region, street = towns[index % len(towns)]
            found.append(
                BuyerSpec(
                    name,
                    _mailbox(name),
                    country,
                    city,
                    postal_code,
                    _line(country, street, 3 + 7 * index),
                    region,
                )
            )
    return found


def _line(country: str, street: str, number: int) -> str:
    """French and Irish addresses have the number first."""
    return f"{number} {street}" if country in {"FR", "IE"} else f"{street} {number}"
