# SPDX-License-Identifier: Apache-2.0
"""email: building, folding, parsing; html.parser; urllib.parse; quoted headers."""

import email
import email.policy
import html
import urllib.parse
from email.message import EmailMessage
from html.parser import HTMLParser

message = EmailMessage()
message["Subject"] = "A subject with ümlauts that is long enough to be folded, and then some more"
message["From"] = "Some One <some@one.example>"
message["To"] = ", ".join(f"u{i}@x.example" for i in range(5))
message.set_content("Body text\n" * 5)
message.add_attachment(b"data" * 20, maintype="application", subtype="x", filename="f.bin")
message.set_boundary("=====boundary=====")
parsed = email.message_from_bytes(bytes(message), policy=email.policy.default)
print(parsed["subject"][:20], [part.get_content_type() for part in parsed.walk()], len(parsed["to"].addresses))


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links = []

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name == "href"]


links = Links()
links.feed("".join(f'<p>&lt;<a href="/x?{i}&amp;y">t{i}</a><br/><!-- c --></p>' for i in range(30)))
links.close()
print(len(links.links), html.escape("<a>"), urllib.parse.urljoin("http://a.example/b/c", "../d?e=f#g"))
print(urllib.parse.urlencode({"a": [1, 2], "b": "ü"}, doseq=True), urllib.parse.parse_qs("a=1&a=2"))
