#!/bin/sh
# libopenmpt, and the Debian games whose music is tracker modules: 120 MB, found with
# `apt-file search -x -i '\.(mod|xm|s3m|it|stm|umx)(\.gz)?$'`. The games are unpacked into a folder,
# not installed: nothing but their music is wanted. The library needs the rights to install packages.
#     sh experiments/results/install.sh [data/modules/packages]
set -eu
folder=${1:-data/modules/packages}
dpkg -s libopenmpt0 > /dev/null 2>&1 || {
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libopenmpt0
}
mkdir -p "$folder"
for package in \
    ballz-data bb biniax2-data black-box bomberclone-data bugsquish ceferino-data \
    circuslinux-data clanlib-doc criticalmass-data cuyo-data dodgindiamond2 fb-music-high \
    flobopuyo freedroid-data gambas3-examples gemdropx gl-117-data gltron gweled \
    heroes-sound-tracks ironseed-data madbomber-data monsterz-data njam-data \
    open-invaders-data pachi-data pathogen pekka-kana-2-data penguin-command pingus-data \
    rafkill-data ri-li-data rockdodger sdlbasic sludge-doc solarwolf tecnoballz-data \
    tomatoes-data tuxmath-data tuxtype-data vectoroids vodovod vor
do
    [ -e "$folder/$package/usr" ] && continue
    # As root apt warns that it cannot drop its rights in this folder; that does no harm.
    (cd "$folder" && apt-get download -q "$package" && dpkg-deb -x "$package"_*.deb "$package")
    rm "$folder/$package"_*.deb
done
