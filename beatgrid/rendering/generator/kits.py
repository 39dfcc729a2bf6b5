"""Drum sounds as data: all drums, and what makes each kit different."""

from __future__ import annotations

from dataclasses import replace

from beatgrid.rendering.generator.drums import Drum

_KICK = Drum(
    tone=(1.0, 1.0),
    hz=(46, 60),
    sweep=(1.8, 3.2),
    sweep_s=(0.012, 0.03),
    tone_s=(0.09, 0.2),
    click=(0.05, 0.5),
    noise=(0.02, 0.1),
    noise_s=(0.005, 0.02),
    drive=(0.8, 3.0),
)
_SNARE = Drum(
    tone=(0.4, 1.0),
    hz=(160, 240),
    sweep=(0.2, 0.7),
    tone_s=(0.04, 0.1),
    modes=2,
    noise=(0.5, 1.4),
    noise_s=(0.035, 0.11),
    click=(0.1, 0.4),
    drive=(0.8, 2.5),
)
_HAT = Drum(
    noise=(0.5, 1.0),
    band=((5000, 8000), (13000, 19000)),
    noise_s=(0.012, 0.035),
    metal=(0.3, 1.0),
    metal_hz=(300, 700),
    metal_s=(0.012, 0.04),
)
_TOM = Drum(
    tone=(1.0, 1.0),
    hz=(90, 180),
    sweep=(0.3, 0.9),
    sweep_s=(0.03, 0.07),
    tone_s=(0.12, 0.3),
    modes=3,
    noise=(0.1, 0.4),
    click=(0.1, 0.3),
)

#: Drums that any kit may use; a kit overrides the ones that make its character.
DRUMS: dict[str, Drum] = {
    "kick": _KICK,
    "snare": _SNARE,
    "clap": Drum(noise=(1, 1), band=((700, 1200), (4000, 9000)), noise_s=(0.05, 0.13), bursts=3),
    "rim": Drum(tone=(1, 1), hz=(400, 1700), tone_s=(0.008, 0.02), modes=3, click=(0.4, 0.9)),
    "hat": _HAT,
    "open": replace(_HAT, noise_s=(0.09, 0.25), metal_s=(0.1, 0.25)),
    "ride": Drum(
        noise=(0.15, 0.5),
        band=((4000, 7000), (12000, 18000)),
        noise_s=(0.15, 0.4),
        metal=(0.6, 1.0),
        metal_hz=(380, 800),
        metal_s=(0.2, 0.6),
        click=(0.1, 0.4),
    ),
    "crash": Drum(
        noise=(0.8, 1.0),
        band=((1500, 4000), (12000, 18000)),
        noise_s=(0.3, 0.8),
        metal=(0.2, 0.6),
        metal_hz=(350, 700),
        metal_s=(0.3, 0.7),
    ),
    "tom_high": replace(_TOM, hz=(150, 230)),
    "tom_low": _TOM,
    "shaker": Drum(
        noise=(1, 1),
        band=((4000, 8000), (12000, 18000)),
        noise_s=(0.015, 0.04),
        attack_s=(0.001, 0.003),
    ),
    "conga": replace(_TOM, hz=(180, 340), sweep=(0.05, 0.2), tone_s=(0.05, 0.12)),
    "clave": Drum(tone=(1, 1), hz=(900, 2600), sweep=(0.01, 0.05), tone_s=(0.012, 0.04)),
    "cowbell": Drum(metal=(1, 1), metal_hz=(420, 600), metal_s=(0.04, 0.1), click=(0.1, 0.3)),
    "tambourine": Drum(
        noise=(0.7, 1),
        band=((5000, 8000), (14000, 18000)),
        noise_s=(0.03, 0.09),
        metal=(0.5, 1),
        metal_hz=(900, 1500),
        metal_s=(0.03, 0.09),
    ),
    "timpani": Drum(
        tone=(1, 1),
        hz=(65, 130),
        sweep=(0.02, 0.08),
        tone_s=(0.3, 0.8),
        modes=4,
        noise=(0.05, 0.2),
        noise_s=(0.02, 0.05),
    ),
    "taiko": Drum(
        tone=(1, 1),
        hz=(48, 85),
        sweep=(0.3, 0.8),
        sweep_s=(0.04, 0.08),
        tone_s=(0.2, 0.5),
        modes=3,
        noise=(0.2, 0.6),
        band=((100, 300), (2000, 5000)),
        noise_s=(0.03, 0.1),
    ),
    "stomp": Drum(
        tone=(0.6, 1),
        hz=(60, 110),
        tone_s=(0.03, 0.07),
        noise=(0.3, 0.8),
        band=((80, 200), (900, 2500)),
        noise_s=(0.02, 0.05),
    ),
    "zap": Drum(tone=(1, 1), hz=(90, 300), sweep=(3, 5), sweep_s=(0.02, 0.05), tone_s=(0.04, 0.1)),
}

#: What makes each kit different from ``DRUMS``.
KITS: dict[str, dict[str, Drum]] = {
    "909": {},
    "808": {
        "kick": replace(_KICK, hz=(42, 54), sweep=(0.8, 1.8), tone_s=(0.25, 0.6)),
        "snare": replace(_SNARE, noise=(0.4, 0.8), tone_s=(0.03, 0.07)),
        "hat": replace(_HAT, metal=(1, 1), noise=(0.1, 0.3)),
    },
    "acoustic": {
        "kick": replace(
            _KICK,
            hz=(52, 72),
            sweep=(0.3, 1.0),
            tone_s=(0.06, 0.13),
            modes=2,
            click=(0.2, 0.8),
            noise=(0.1, 0.3),
            band=((100, 300), (2500, 6000)),
        ),
        "snare": replace(_SNARE, hz=(170, 260), modes=4, noise=(0.8, 1.6), noise_s=(0.05, 0.13)),
        "crash": replace(DRUMS["crash"], noise_s=(0.5, 1.0)),
    },
    "metal": {
        "kick": replace(
            _KICK,
            hz=(52, 66),
            sweep=(1.0, 2.2),
            tone_s=(0.05, 0.09),
            click=(0.8, 2.0),
            noise=(0.1, 0.3),
            band=((2000, 3000), (6000, 9000)),
            drive=(1.5, 3.0),
        ),
        "snare": replace(_SNARE, modes=3, noise=(0.8, 1.4), click=(0.3, 0.8), drive=(1.5, 3.0)),
    },
    "hardcore": {
        "kick": replace(
            _KICK,
            hz=(44, 58),
            sweep=(2.5, 4.5),
            sweep_s=(0.02, 0.05),
            tone_s=(0.12, 0.35),
            click=(0.3, 1.0),
            drive=(5.0, 40.0),
        ),
        "snare": replace(_SNARE, drive=(2.0, 6.0)),
    },
    "chip": {
        "kick": replace(
            _KICK, hz=(50, 80), sweep=(2, 3), tone_s=(0.03, 0.07), drive=(3, 9), hold=3
        ),
        "snare": Drum(noise=(1, 1), noise_s=(0.03, 0.09), hold=4),
        "hat": Drum(
            noise=(1, 1), band=((3000, 6000), (15000, 18000)), noise_s=(0.01, 0.025), hold=2
        ),
        "open": Drum(
            noise=(1, 1), band=((3000, 6000), (15000, 18000)), noise_s=(0.05, 0.1), hold=2
        ),
        "crash": Drum(noise=(1, 1), band=((500, 900), (9000, 15000)), noise_s=(0.2, 0.4), hold=3),
    },
    "break": {  # a sampled break: bright, short, compressed
        "kick": replace(_KICK, hz=(60, 85), sweep=(0.5, 1.4), tone_s=(0.05, 0.1), drive=(2, 4)),
        "snare": replace(_SNARE, hz=(190, 300), modes=3, noise=(0.8, 1.6), drive=(2, 5)),
    },
    "lofi": {
        "kick": replace(_KICK, click=(0.0, 0.1), tone_s=(0.08, 0.16)),
        "snare": replace(_SNARE, band=((200, 500), (3500, 6000)), noise_s=(0.04, 0.09)),
        "hat": replace(_HAT, band=((3000, 5000), (7000, 10000)), metal=(0.0, 0.0)),
    },
    "brush": {
        "kick": replace(_KICK, hz=(50, 70), sweep=(0.2, 0.6), click=(0.0, 0.2), drive=(0.5, 1)),
        "snare": Drum(
            noise=(1, 1),
            band=((800, 1500), (7000, 12000)),
            noise_s=(0.05, 0.14),
            attack_s=(0.002, 0.005),
        ),
    },
}
