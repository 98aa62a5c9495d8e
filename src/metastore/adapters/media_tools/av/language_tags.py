"""BCP 47 language tags."""

import re

_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", re.IGNORECASE)
_ISO_639 = """
    afr:af alb:sq amh:am ara:ar arm:hy aze:az baq:eu bel:be ben:bn bod:bo bos:bs bul:bg bur:my cat:ca ces:cs
    chi:zh cym:cy cze:cs dan:da deu:de dut:nl ell:el eng:en epo:eo est:et eus:eu fas:fa fin:fi fra:fr fre:fr
    geo:ka ger:de gle:ga glg:gl gre:el guj:gu heb:he hin:hi hrv:hr hun:hu hye:hy ice:is ind:id isl:is ita:it
    jpn:ja kan:kn kat:ka kaz:kk khm:km kor:ko lao:lo lat:la lav:lv lit:lt mac:mk mal:ml mar:mr may:ms mkd:mk
    mon:mn msa:ms mya:my nep:ne nld:nl nno:nn nob:nb nor:no pan:pa per:fa pol:pl por:pt ron:ro rum:ro rus:ru
    sin:si slk:sk slo:sk slv:sl som:so spa:es sqi:sq srp:sr swa:sw swe:sv tam:ta tel:te tgl:tl tha:th tib:bo
    tur:tr ukr:uk urd:ur uzb:uz vie:vi wel:cy yid:yi zho:zh zul:zu
"""
"""ISO 639-2 codes, which containers use, and the ISO 639-1 codes that BCP 47 prefers."""
_SHORT = dict(pair.split(":") for pair in _ISO_639.split())
_NONE = frozenset({"und", "mis", "mul", "zxx"})


def language_tag(code: str) -> str | None:
    """Return the tag for a container's language code; ``None`` if it is not a language."""
    first, _, rest = code.strip().partition("-")
    first = _SHORT.get(first.lower(), first.lower())
    tag = f"{first}-{rest}" if rest else first
    return tag if _TAG.fullmatch(tag) and first not in _NONE else None
