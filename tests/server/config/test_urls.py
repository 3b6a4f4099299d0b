"""URL lists against what etcd 2.3.8 (Go 1.19) made of them: every row was recorded from its URL list parser."""

import pytest

from server.config import UrlError, parse_url, parse_urls, parse_urls_map, urls_map_text

# fmt: off
ACCEPTED = [
    ('http://127.0.0.1:2379', 'http://127.0.0.1:2379'),
    ('http://127.0.0.1:2379, http://127.0.0.1:4001', 'http://127.0.0.1:2379,http://127.0.0.1:4001'),
    (' http://b:1 ,http://a:2 ', 'http://a:2,http://b:1'),
    ('HTTP://b:1', 'http://b:1'),
    ('Http://B.Example:1', 'http://B.Example:1'),
    ('http://b:', 'http://b:'),
    ('http://:1', 'http://:1'),
    ('http://b:1?x=y', 'http://b:1?x=y'),
    ('http://b:1?', 'http://b:1?'),
    ('http://b:1#frag', 'http://b:1#frag'),
    ('http://b:1#', 'http://b:1'),
    ('http://b:1?q#f', 'http://b:1?q#f'),
    ('http://u:p@b:1', 'http://u:p@b:1'),
    ('http://u@b:1', 'http://u@b:1'),
    ('http://b:99999', 'http://b:99999'),
    ('http://[::1]:1', 'http://[::1]:1'),
    ('http://[::]:4001', 'http://[::]:4001'),
    ('http://[fe80::1%25eth0]:1', 'http://[fe80::1%25eth0]:1'),
    ('http://b:1\n', 'http://b:1'),
    ('https://b:1', 'https://b:1'),
    ('http://bücher:1', 'http://b%C3%BCcher:1'),
    ('http://b<c:1', 'http://b<c:1'),
    ('http://b"c:1', 'http://b"c:1'),
    ('http://b_c:1', 'http://b_c:1'),
    ('http://b:1?a b', 'http://b:1?a b'),
    ('http://@b:1', 'http://@b:1'),
    ('http://a@b@c:1', 'http://a%40b@c:1'),
    ('http://b:01', 'http://b:01'),
    ('http://b:1?x=%zz', 'http://b:1?x=%zz'),
    ('http://b:1#a b', 'http://b:1#a%20b'),
    ('http://u%40x:p@b:1', 'http://u%40x:p@b:1'),
    ("http://b!$&'()*+;=c:1", "http://b!$&'()*+;=c:1"),
    ('http://b:1,http://b:1', 'http://b:1,http://b:1'),
    ('\xa0http://b:1\xa0', 'http://b:1'),
    ('http://b:1#é', 'http://b:1#%C3%A9'),
    ('http://b:1?é', 'http://b:1?é'),
    ('http://u:@b:1', 'http://u:@b:1'),
    ('http://:p@b:1', 'http://:p@b:1'),
    ('http://[]:1', 'http://[]:1'),
    ('http://[1.2.3.4]:1', 'http://[1.2.3.4]:1'),
    ('http://[::1%25]:1', 'http://[::1%25]:1'),
]
REFUSED = [
    ('', 'URL scheme must be http or https: '),
    (' ', 'URL scheme must be http or https: '),
    (',', 'URL scheme must be http or https: '),
    ('http://127.0.0.1:2379,', 'URL scheme must be http or https: '),
    ('http://b', 'URL address does not have the form "host:port": http://b'),
    ('http://', 'URL address does not have the form "host:port": http://'),
    ('http:', 'URL address does not have the form "host:port": http:'),
    ('http', 'URL scheme must be http or https: http'),
    ('b:1', 'URL scheme must be http or https: b:1'),
    ('127.0.0.1:4001', 'parse "127.0.0.1:4001": first path segment in URL cannot contain colon'),
    ('localhost:4001', 'URL scheme must be http or https: localhost:4001'),
    ('[::1]:4001', 'parse "[::1]:4001": first path segment in URL cannot contain colon'),
    ('ftp://b:1', 'URL scheme must be http or https: ftp://b:1'),
    ('http://b:1/', 'URL must not contain a path: http://b:1/'),
    ('http://b:1/foo', 'URL must not contain a path: http://b:1/foo'),
    ('http://b:abc', 'parse "http://b:abc": invalid port ":abc" after host'),
    ('http://b:-1', 'parse "http://b:-1": invalid port ":-1" after host'),
    ('http://::1:1', 'URL address does not have the form "host:port": http://::1:1'),
    ('http://::1', 'URL address does not have the form "host:port": http://::1'),
    ('http://[::1', 'parse "http://[::1": missing \']\' in host'),
    ('http://[::1]', 'URL address does not have the form "host:port": http://[::1]'),
    ('http://[::1]x:1', 'parse "http://[::1]x:1": invalid port "x:1" after host'),
    ('http://[fe80::1%eth0]:1', 'parse "http://[fe80::1%eth0]:1": invalid URL escape "%et"'),
    ('http://b c:1', 'parse "http://b c:1": invalid character " " in host name'),
    ('http://b%20c:1', 'parse "http://b%20c:1": invalid URL escape "%20"'),
    ('http://b%41:1', 'parse "http://b%41:1": invalid URL escape "%41"'),
    ('http://%zz:1', 'parse "http://%zz:1": invalid URL escape "%zz"'),
    ('http://b:1%', 'parse "http://b:1%": invalid port ":1%" after host'),
    ('http://b:1/%zz', 'parse "http://b:1/%zz": invalid URL escape "%zz"'),
    ('http://b\t:1', 'parse "http://b\\t:1": net/url: invalid control character in URL'),
    ('://b:1', 'parse "://b:1": missing protocol scheme'),
    (':b:1', 'parse ":b:1": missing protocol scheme'),
    ('1http://b:1', 'parse "1http://b:1": first path segment in URL cannot contain colon'),
    ('http//b:1', 'URL scheme must be http or https: http//b:1'),
    ('http:/b:1', 'URL address does not have the form "host:port": http:/b:1'),
    ('http:b:1', 'URL address does not have the form "host:port": http:b:1'),
    ('/foo', 'URL scheme must be http or https: /foo'),
    ('%', 'parse "%": invalid URL escape "%"'),
    ('%zz', 'parse "%zz": invalid URL escape "%zz"'),
    ('x:%zz', 'URL scheme must be http or https: x:%zz'),
    ('unix:///tmp/x', 'URL scheme must be http or https: unix:///tmp/x'),
    ('http://b:1;http://c:2', 'URL address does not have the form "host:port": http://b:1;http://c:2'),
    ('http://b:1 http://c:2', 'parse "http://b:1 http://c:2": invalid character " " in host name'),
    ('http://u:p w@b:1', 'parse "http://u:p w@b:1": net/url: invalid userinfo'),
    ('http://a:b:1', 'URL address does not have the form "host:port": http://a:b:1'),
    ('http://b:1#%zz', 'parse "http://b:1#%zz": invalid URL escape "%zz"'),
    ('-1', 'URL scheme must be http or https: -1'),
    ('http://b:1//', 'URL must not contain a path: http://b:1//'),
    ('http://b:1\x7f', 'parse "http://b:1\\x7f": net/url: invalid control character in URL'),
    ('http://b^c:1', 'parse "http://b^c:1": invalid character "^" in host name'),
    ('http://b|c:1', 'parse "http://b|c:1": invalid character "|" in host name'),
    ('foo%bar:1', 'parse "foo%bar:1": first path segment in URL cannot contain colon'),
    ('http://a\\b:1', 'parse "http://a\\\\b:1": invalid character "\\\\" in host name'),
    ('h+t.p-1://b:1', 'URL scheme must be http or https: h+t.p-1://b:1'),
    ('*', 'URL scheme must be http or https: *'),
]
# fmt: on


@pytest.mark.parametrize(("text", "written"), ACCEPTED)
def test_accepts_and_writes_back_like_etcd(text: str, written: str) -> None:
    assert ",".join(parse_urls(text)) == written


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_refuses_in_the_words_of_etcd(text: str, message: str) -> None:
    with pytest.raises(UrlError) as caught:
        parse_urls(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "hostname", "port"),
    [
        ("http://b.example:1", "b.example", "1"),
        ("http://[::1]:4001", "::1", "4001"),
        ("http://[fe80::1%25eth0]:1", "fe80::1%eth0", "1"),
        ("http://:2379", "", "2379"),
        ("http://b:", "b", ""),
        ("http://u:p@b:1?q", "b", "1"),
    ],
)
def test_host_and_port_as_one_looks_them_up(text: str, hostname: str, port: str) -> None:
    url = parse_url(text)
    assert (url.hostname, url.port) == (hostname, port)


def test_a_name_may_come_several_times_and_empty_items_do_not_count() -> None:
    urls = parse_urls_map(",b=http://x:2,a=http://y:1,,b=http://x:1,")
    assert urls == {"b": ["http://x:1", "http://x:2"], "a": ["http://y:1"]}
    assert urls_map_text(urls) == "a=http://y:1,b=http://x:1,b=http://x:2"


@pytest.mark.parametrize("text", ["a", "a=", "b=http://x:1,a"])
def test_an_item_without_url_is_refused(text: str) -> None:
    with pytest.raises(UrlError, match=r"^URL scheme must be http or https: $"):
        parse_urls_map(text)
