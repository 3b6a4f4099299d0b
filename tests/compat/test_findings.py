import pytest

from compat import codes
from compat.findings import ERROR, INFO, REVIEW, Code, Finding, catalogue, worst
from compat.settings import FILE, FLAG, VARIABLE, Origin

PORT = Code("port-added", INFO, "a port", "A story.").text("no port in {value}", "write {port}")


def test_a_finding_is_one_line_with_severity_code_place_words_and_remedy() -> None:
    found = PORT.finding("bind-addr", Origin(FILE, "bind_addr", "old.conf", 3), value="::", port="80")
    assert str(found) == "info[port-added] old.conf:3: no port in :: -> write 80"
    assert (found.message, found.remedy) == ("no port in ::", "write 80")
    assert str(PORT._replace(remedy="").finding("", None, value="::")) == "info[port-added] no port in ::"


def test_what_a_field_says_is_never_taken_for_a_field() -> None:
    found = PORT.finding("", None, value="{port} {0} {{ ip }}", port="{value}")
    assert (found.message, found.remedy) == ("no port in {port} {0} {{ ip }}", "write {value}")


def test_fields_can_be_changed() -> None:
    found = PORT.finding("", None, value="a", port="b").with_fields(str.upper)
    assert (found.message, found.remedy) == ("no port in A", "write B")


def test_a_text_of_a_setting_may_have_a_field_of_that_name() -> None:
    text = PORT._replace(message="{setting} of {origin}", remedy="")
    assert text.finding("name", None, setting="a", origin="b").message == "a of b"


@pytest.mark.parametrize(
    ("origin", "place", "text"),
    [
        (Origin(FLAG, "-addr"), "flag -addr", "flag -addr"),
        (Origin(VARIABLE, "ETCD_ADDR"), "variable ETCD_ADDR", "variable ETCD_ADDR"),
        (Origin(VARIABLE, "ETCD_ADDR", "env", 2), "env:2", "ETCD_ADDR (env:2)"),
        (Origin(FILE, "addr", "old.conf", 7), "old.conf:7", "addr (old.conf:7)"),
        (Origin(FILE, "old.conf", "old.conf"), "old.conf", "old.conf"),
    ],
)
def test_a_place_says_where_to_look(origin: Origin, place: str, text: str) -> None:
    assert (origin.place, str(origin)) == (place, text)


def test_the_worst_severity() -> None:
    def made(*severities: str) -> list[Finding]:
        return [Code("a", severity, "", "").text("").finding("", None) for severity in severities]

    assert worst([]) == ""
    assert worst(made(INFO)) == INFO
    assert worst(made(INFO, REVIEW)) == REVIEW
    assert worst(made(REVIEW, ERROR, INFO)) == ERROR


def test_a_catalogue_refuses_two_codes_of_one_name() -> None:
    with pytest.raises(ValueError, match="two findings are called peers"):
        catalogue(vars(codes), {"OTHER": Code("peers", INFO, "", "")})


def test_a_catalogue_takes_the_same_code_from_several_modules() -> None:
    assert catalogue({"PEERS": codes.PEERS}, {"PEERS": codes.PEERS}) == {"peers": codes.PEERS}
