"""Addresses that nobody outside may lead us to, in every way of writing them. Data only."""

from __future__ import annotations

# Each block of the IANA special-purpose registries, its first, last and some inner address.
_V4 = """
    0.0.0.0 0.1.2.3 0.255.255.255 10.0.0.0 10.0.0.1 10.255.255.255 100.64.0.0 100.100.100.200
    100.127.255.255 127.0.0.0 127.0.0.1 127.0.0.53 127.255.255.255 169.254.0.1 169.254.169.254
    169.254.170.2 169.254.255.255 172.16.0.0 172.17.0.1 172.31.255.255 192.0.0.1 192.0.0.8
    192.0.0.9 192.0.0.10 192.0.0.170 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1
    192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 224.0.0.251
    232.1.1.1 239.255.255.250 240.0.0.1 255.255.255.254 255.255.255.255
"""
V4 = tuple(_V4.split())

_V6 = """
    :: ::1 ::2 ::127.0.0.1 ::10.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1
    ::ffff:169.254.169.254 ::ffff:0.0.0.0 ::ffff:192.168.1.1 ::ffff:7f00:1 ::ffff:0:127.0.0.1
    ::ffff:0:a00:1 64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::1
    64:ff9b:1::7f00:1 100::1 100:0:0:1::1 2001::1 2001:0:7f00:1::1 2001:1::1 2001:2::1 2001:3::1
    2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::1 2002:a00:1:: 2002:808:808::1 3fff::1
    3fff:fff:ffff::1 5f00::1 fc00::1 fd00::1 fd00:ec2::254 fdff:ffff::1 fe80::1 fe80::1%1
    febf::1 fec0::1 feff::1 ff00::1 ff01::1 ff02::1 ff02::fb ff05::1:3 ffff::1 4000::1 0100::
"""
V6 = tuple(_V6.split())

# Hosts as they may stand in an address; each means (or would, for some parser) a place above.
HOSTS = (
    *V4,
    *[f"[{text}]" for text in V6],
    "[::1%25lo]",
    "[fe80::1%25eth0]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[0:0:0:0:0:ffff:7f00:0001]",
    "0177.0.0.1",
    "0177.0.0.01",
    "00000177.0.0.1",
    "0x7f.0.0.1",
    "0x7f.1",
    "0X7F000001",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "0",
    "00",
    "0x0",
    "127.1",
    "127.0.1",
    "127.000.000.001",
    "10.1",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "169.254.43518",
    "4294967295",
    "4294967296",
    "340282366920938463463374607431768211455",
    "1.2.3.4.5",
    "127.0.0.1.",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "127.0.0.1%00.good.test",
    "localhost%00.good.test",
    "\uff11\uff12\uff17.0.0.1",  # full-width digits
    "127\u30020\u30020\u30021",  # ideographic full stops
    "127\uff0e0\uff0e0\uff0e1",  # full-width full stops
    "127\uff610\uff610\uff611",  # half-width full stops
    "\u2460\u2461\u2466.0.0.1",  # digits in circles
    "\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3",  # localhost in circles
    "\u0661\u0662\u0667.\u0660.\u0660.\u0661",  # Arabic digits
    "\U0001d7cf\U0001d7d0\U0001d7d5.0.0.1",  # mathematical digits
    "loc\u00adalhost",  # a soft hyphen, which IDNA drops
    "127.0.0.1\u200b",  # a zero-width space
)

# What leads somewhere else than it seems to; {port} is a trap's.
TRICKS = (
    "http://good.test@127.0.0.1:{port}/",
    "http://good.test:80@127.0.0.1:{port}/",
    "http://good.test%40127.0.0.1:{port}/",
    "http://:@127.0.0.1:{port}/",
    "http://@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}@good.test@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@good.test/",
    "http://127.0.0.1:{port}?@good.test/",
    "http://127.0.0.1:{port};@good.test/",
    "http://good.test\\@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@good.test/",
    "http:\\\\127.0.0.1:{port}\\",
    "http:/\\127.0.0.1:{port}/",
    "http:127.0.0.1:{port}/",
    "http:/127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "http:////127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "\\\\127.0.0.1\\share",
    "http://127.0.0.1:{port}\r\nHost: good.test\r\n\r\n/",
    "http://127.0.0.1:{port}/\r\nX: y",
    "http://good.test\r\n.127.0.0.1:{port}/",
    "ht\ntp://127.0.0.1:{port}/",
    "http://127.0.0\t.1:{port}/",
    "http://127.0.0.1:{port}:80/",
    "http://127.0.0.1:+{port}/",
    "http://127.0.0.1:0/",
    "http://127.0.0.1:-1/",
    "http://127.0.0.1:65536/",
    "http://127.0.0.1:{port}.good.test/",
    "http://[::1/",
    "http://::1:{port}/",
    "http://[127.0.0.1]:{port}/",
    "http://[v1.127.0.0.1]:{port}/",
    "HTTP://127.0.0.1:{port}/",
    "hTtPs://127.0.0.1:{port}/",
    "url:http://127.0.0.1:{port}/",
    "view-source:http://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "file:/etc/passwd",
    "FILE:///etc/passwd",
    "/etc/passwd",
    "gopher://127.0.0.1:{port}/_GET%20/",
    "dict://127.0.0.1:{port}/info",
    "ftp://127.0.0.1:{port}/a.png",
    "ldap://127.0.0.1:{port}/",
    "tftp://127.0.0.1:{port}/a",
    "ws://127.0.0.1:{port}/ws",
    "jar:http://127.0.0.1:{port}/a.jar!/x",
    "netdoc:///etc/passwd",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/x",
    "javascript:alert(1)",
    "blob:http://127.0.0.1:{port}/x",
    "about:blank",
    "data:http://127.0.0.1:{port}/a.png",
    "data:data:image/png;base64,http://127.0.0.1:{port}/",
    "data:,http://127.0.0.1:{port}/a.png",
    "data:text/html;base64,PHNjcmlwdD4=",
    "data:image/png;base64,file:///etc/passwd",
)

# Some that must stay reachable: a guard that refuses all is no service.
_PUBLIC = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.216.34 100.63.255.255 100.128.0.0
    126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0
    192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 2606:4700::6810:84e5
    2a00:1450:4001::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8
"""
PUBLIC = tuple(_PUBLIC.split())
