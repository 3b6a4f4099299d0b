"""JSON bodies as Go reads them; all texts are those of Go 1.19's encoding/json, seen through etcd 2.3.8."""

import pytest

from server.api.jsonscan import JsonError, string_of, strings_of

GO_TYPE = 'struct { PeerURLs []string "json:\\"peerURLs\\"" }'


def urls(data: bytes) -> list[str]:
    return strings_of("peerURLs", data, GO_TYPE)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'{"peerURLs":["a","b"]}', ["a", "b"]),
        (b' {\t"peerURLs" :\r\n[ "a" , "b" ] } ', ["a", "b"]),
        (b'{"PEERurls":["a"]}', ["a"]),
        ('{"peerURLſ":["a"]}'.encode(), ["a"]),
        (b'{"peer\\u0055RLs":["a"]}', ["a"]),
        (b'{"peerURLs":null}', []),
        (b'{"peerURLs":[]}', []),
        (b"{}", []),
        (b"null", []),
        (b'{"peerURLs":["a",null,"c"]}', ["a", "", "c"]),
        (b'{"peerURLs":["a","b"],"peerURLs":["c"]}', ["c"]),
        (b'{"peerURLs":["a","b"],"peerURLs":[null]}', ["a"]),  # null leaves what stood there
        (b'{"peerURLs":["a"],"peerURLs":null}', []),
        (b'{"other":{"peerURLs":["x",1,[true,false,-0.5e+3]]},"peerURLs":["a"]}', ["a"]),
        (b'{"peerURLs":["\\u00e9\\ud83d\\ude00\\n\\/"]}', ["é\U0001f600\n/"]),
        (b'{"peerURLs":["\\ud800x","\xff\xfe"]}', ["\ufffdx", "\ufffd\ufffd"]),
        (b'{"x":' + b"[" * 9_998 + b"]" * 9_998 + b',"peerURLs":["a"]}', ["a"]),
    ],
)
def test_a_list_of_strings_is_found(data: bytes, found: list[str]) -> None:
    assert urls(data) == found


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "unexpected end of JSON input"),
        (b"{", "unexpected end of JSON input"),
        (b'{"a', "unexpected end of JSON input"),
        (b'{"peerURLs":["http://a:1"]', "unexpected end of JSON input"),
        (b'{"peerURLs":3,"name":{"a":[1,2', "unexpected end of JSON input"),
        (b'{"peerURLs":["a"]} x', "invalid character 'x' after top-level value"),
        (b'{"peerURLs":["a",]}', "invalid character ']' looking for beginning of value"),
        (b"[,1]", "invalid character ',' looking for beginning of value"),
        (b"{,}", "invalid character ',' looking for beginning of object key string"),
        (b'{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        (b'{"a" 1}', "invalid character '1' after object key"),
        (b'{"a":1 "b"}', "invalid character '\"' after object key:value pair"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b"'a'", "invalid character '\\'' looking for beginning of value"),
        (b"NaN", "invalid character 'N' looking for beginning of value"),
        (b"nul", "invalid character ' ' in literal null (expecting 'l')"),
        (b"trux", "invalid character 'x' in literal true (expecting 'e')"),
        (b"-", "invalid character ' ' in numeric literal"),
        (b"01", "invalid character '1' after top-level value"),
        (b"1.", "invalid character ' ' after decimal point in numeric literal"),
        (b"1e+", "invalid character ' ' in exponent of numeric literal"),
        (b'"\x01"', "invalid character '\\x01' in string literal"),
        (b'"\\x"', "invalid character 'x' in string escape code"),
        (b'"\\u12G"', "invalid character 'G' in \\u hexadecimal character escape"),
        (b"\xff", "invalid character 'ÿ' looking for beginning of value"),
        (b"[" * 10_001, "invalid character '[' exceeded max depth"),
        (b"1", f"json: cannot unmarshal number into Go value of type {GO_TYPE}"),
        (b"[{}]", f"json: cannot unmarshal array into Go value of type {GO_TYPE}"),
        (b'"x"', f"json: cannot unmarshal string into Go value of type {GO_TYPE}"),
        (b"true", f"json: cannot unmarshal bool into Go value of type {GO_TYPE}"),
        (
            b'{"peerURLs":"x"}',
            "json: cannot unmarshal string into Go struct field .peerURLs of type []string",
        ),
        (
            b'{"PeerUrls":{"peerURLs":1}}',
            "json: cannot unmarshal object into Go struct field .peerURLs of type []string",
        ),
        (b'{"peerURLs":[1]}', "json: cannot unmarshal number into Go struct field .peerURLs of type string"),
        (
            b'{"peerURLs":[[2],true]}',
            "json: cannot unmarshal array into Go struct field .peerURLs of type string",
        ),
    ],
)
def test_what_is_wrong_is_said_in_gos_words(data: bytes, text: str) -> None:
    with pytest.raises(JsonError) as caught:
        urls(data)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'{"Level":"INFO"}', "INFO"),
        (b'{"level":"a","LEVEL":"b","Level":null} and more', "b"),
        (b'{"x":[{"Level":"q"}],"Level":"a"}}', "a"),
        (b"{}", ""),
        (b"null", ""),
        (b"nullx", ""),
    ],
)
def test_one_string_is_found_and_what_follows_does_not_matter(data: bytes, found: str) -> None:
    assert string_of("Level", data) == found


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'"x"', b'{"Level":1}', b'{"Level":"a"', b'{"Level":1,"Level":"a"}']
)
def test_another_shape_has_no_string(data: bytes) -> None:
    with pytest.raises(JsonError):
        string_of("Level", data)
