"""A few sentences in German, French, Spanish and Italian, of ours, with numbers spoken in that language."""

from __future__ import annotations

from collections.abc import Iterator

from num2words import num2words

from data.items import Text, generator_for

NOUNS = {
    "de": "Häuser Bücher Tage Freunde Bäume Autos Kinder Äpfel Fenster Wochen".split(),
    "fr": "maisons livres jours amis arbres voitures enfants pommes fenêtres semaines".split(),
    "es": "casas libros días amigos árboles coches niños manzanas ventanas semanas".split(),
    "it": "case libri giorni amici alberi macchine bambini mele finestre settimane".split(),
}
CARRIERS = {
    "de": "Ich habe {n} {w} gesehen.|Wie viele {w} gibt es hier?|Es waren genau {n} {w}.|Wo sind die {w}?|"
    "Können Sie mir bitte die {w} zeigen?|Morgen kommen noch {n} {w} dazu.|Die {w} gefallen mir sehr gut.",
    "fr": "J'ai vu {n} {w}.|Combien de {w} y a-t-il ici?|Il y avait exactement {n} {w}.|Où sont les {w}?|"
    "Pouvez-vous me montrer les {w}, s'il vous plaît?|Demain, il y aura encore {n} {w}.|J'aime beaucoup les {w}.",
    "es": "He visto {n} {w}.|Dime algo sobre los nombres de las cosas y {n} {w}.|Había exactamente {n} {w}.|"
    "Hoy tenemos {n} {w} y mañana {m}.|Por favor, busca {n} {w} para mí.|Me faltan {n} {w}.",
    "it": "Ho visto {n} {w}.|Raccontami qualcosa di {n} {w}.|C'erano esattamente {n} {w}.|"
    "Oggi abbiamo {n} {w} e domani {m}.|Per favore, cerca {n} {w} per me.|Mi mancano {n} {w}.",
}


def other_languages(count: int, seed: int) -> Iterator[Text]:
    generator = generator_for(seed, "languages")
    for index in range(count):
        language = list(CARRIERS)[index % len(CARRIERS)]
        carriers, nouns = CARRIERS[language].split("|"), NOUNS[language]
        carrier = carriers[int(generator.integers(len(carriers)))]
        noun = nouns[int(generator.integers(len(nouns)))]
        n, m = (int(value) for value in generator.integers(2, 200, size=2))
        said = carrier.format(n=num2words(n, lang=language), m=num2words(m, lang=language), w=noun)
        text = carrier.format(n=n, m=m, w=noun)
        yield Text(text, said, language, "transcribe", "languages", "Apache-2.0")
