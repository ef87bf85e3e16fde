# SPDX-License-Identifier: Apache-2.0
import html
import io
import xml.dom.expatbuilder
import xml.etree.ElementPath
import xml.etree.ElementTree as ET
from xml.dom import minidom

root = ET.Element("root")
for i in range(200):
    child = ET.SubElement(root, "item", id=str(i))
    child.text = f"text {i}"
    ET.SubElement(child, "sub").tail = "&<>"
text = ET.tostring(root, encoding="unicode")
back = ET.fromstring(text)
found = back.findall(".//item[@id='7']/sub")
events = [element.tag for _, element in ET.iterparse(io.BytesIO(text.encode()))]
document = minidom.parseString(text[:2000].rpartition("<item")[0] + "</root>")
pretty = document.toprettyxml()
escaped = [html.escape(f"<{i}&>") for i in range(200)]
del root
measure()
