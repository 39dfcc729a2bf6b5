"""Who is let in, and what a browser may do with what it gets."""

import pytest
from starlette.testclient import TestClient

from tests.review.conftest import ORIGIN, PORT, TOKEN

COOKIE = f"beatgrid-review-{PORT}"
EDIT = {"revision": 0, "edit": {"op": "nudge", "at_s": 1, "ms": 1}}


@pytest.fixture
def stranger(page):
    """A client that has no cookie."""
    return TestClient(page.client.app, base_url=ORIGIN)


def test_the_token_in_the_address_opens_the_page_and_becomes_a_cookie(stranger):
    answer = stranger.get("/", params={"token": TOKEN})
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"]
    assert cookie == f"{COOKIE}={TOKEN}; Path=/; HttpOnly; SameSite=Strict"
    stranger.cookies.set(COOKIE, TOKEN)
    again = stranger.get("/api/tracks")
    assert again.status_code == 200
    assert "set-cookie" not in again.headers


@pytest.mark.parametrize("path", ["/", "/api/tracks", "/api/run", "/static/index.html"])
@pytest.mark.parametrize("token", [None, "", "b" * 43, TOKEN[:-1], TOKEN + "a", "é"])
def test_without_the_token_nothing_is_told(path, token, stranger):
    answer = stranger.get(path, params={} if token is None else {"token": token})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    if token is not None:
        name = token.encode("utf-8", "replace").decode("latin-1")
        answer = stranger.get(path, headers={"Cookie": f"{COOKIE}={name}".encode("latin-1")})
        assert answer.status_code == 403


def test_a_token_in_the_address_opens_the_page_alone(stranger):
    assert stranger.get("/api/tracks", params={"token": TOKEN}).status_code == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:80", "", f"[::1]:{PORT}"],
)
def test_another_name_for_this_address_is_refused(host, page):
    for answer in (
        page.get("/api/tracks", headers={"Host": host}),
        page.get("/", params={"token": TOKEN}, headers={"Host": host}),
    ):
        assert (answer.status_code, answer.text) == (403, "not this host\n")


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:4321", "http://127.0.0.1:80"]
)
def test_another_origin_is_refused(origin, page):
    track_id = page.id_of("plain.flac")
    for answer in (
        page.get("/api/tracks", headers={"Origin": origin}),
        page.post(f"/api/tracks/{track_id}/edit", EDIT, headers={"Origin": origin}),
    ):
        assert (answer.status_code, answer.text) == (403, "not this origin\n")
    assert page.track(track_id)["revision"] == 0


def test_what_changes_something_must_say_its_origin(page):
    track_id = page.id_of("plain.flac")
    answer = page.client.post(f"/api/tracks/{track_id}/edit", json=EDIT)
    assert (answer.status_code, answer.text) == (403, "no origin\n")
    answer = page.client.post(
        f"/api/tracks/{track_id}/edit",
        json=EDIT,
        headers={"Host": f"localhost:{PORT}", "Origin": f"http://localhost:{PORT}"},
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_cannot_embed_what_is_served(site, page):
    answer = page.get("/api/tracks", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"})
    assert answer.status_code == 403
    link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
    assert page.get("/", params={"token": TOKEN}, headers=link).status_code == 200


def test_every_answer_forbids_what_the_page_does_not_need(page, stranger):
    answers = [
        page.get("/"),
        page.get("/api/tracks"),
        page.get("/static/index.html"),
        page.get("/api/tracks/none"),
        stranger.get("/"),
    ]
    for answer in answers:
        policy = answer.headers["content-security-policy"].split("; ")
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in str(policy)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2f..%2f..%2fpyproject.toml",
        "/etc/passwd",
        "/api/tracks/..%2f..%2fetc%2fpasswd",
        "/api/tracks/../../plain.flac",
        "/api/tracks/%00/audio.wav",
        "/music/plain.flac",
        "/.beatgrid-index.sqlite",
    ],
)
def test_only_tracks_of_the_run_and_the_page_itself_are_served(path, page):
    answer = page.client.request("GET", path)
    assert answer.status_code in (400, 404, 405)
    assert "root:" not in answer.text


def test_the_page_holds_no_script_or_style_of_its_own(page):
    text = page.get("/").text
    assert "<script" in text
    for tag in text.split("<script")[1:]:
        assert 'src="' in tag.split(">")[0]
        assert tag.split(">", 1)[1].startswith("</script>")
    assert "<style" not in text
    assert " style=" not in text
    assert " on" not in "".join(part.split(">")[0] for part in text.split("<")[1:]).replace(
        " only", ""
    )
