#!/bin/sh
# The programs and sounds that the corpus command uses where they are there (Debian, Ubuntu).
# Needs the rights to install packages. About 850 MB, most of it SoundFonts and drum kits.
set -eu
apt-get update
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    mma \
    libfluidsynth3 fluid-soundfont-gm timgm6mb-soundfont musescore-general-soundfont \
    opl3-soundfont \
    lmms lmms-common \
    hydrogen-data hydrogen-drumkits
