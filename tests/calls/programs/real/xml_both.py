# SPDX-License-Identifier: Apache-2.0
"""xml.etree, minidom and SAX over one document."""

import io
import xml.dom.minidom
import xml.etree.ElementTree as ET
import xml.sax

text = "<root>" + "".join(f'<item id="{i}"><name>n{i}</name><!-- c --></item>' for i in range(40))
text += "</root>"
tree = ET.fromstring(text)
for item in tree.iter("item"):
    item.set("seen", "yes")
ET.indent(tree)
print(len(ET.tostring(tree)), len(tree.findall(".//item[@id='7']/name")))
dom = xml.dom.minidom.parseString(text)
print(len(dom.toprettyxml()), len(dom.getElementsByTagName("name")))


class Handler(xml.sax.ContentHandler):
    def __init__(self):
        super().__init__()
        self.seen = 0

    def startElement(self, name, attributes):
        self.seen += len(attributes)


handler = Handler()
xml.sax.parse(io.BytesIO(text.encode()), handler)
print(handler.seen)
