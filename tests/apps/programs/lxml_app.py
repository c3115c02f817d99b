"""lxml: trees and their proxies, XPath, XSLT, validators, parsers with targets, iterparse; then it dies."""

import gc
import io
import sys

import record
from lxml import etree, html, objectify

gc.disable()
KEPT = {}
n = int(sys.argv[2])
TEXT = b"<shop xmlns:p='urn:p'>" + b"".join(
    b"<item id='%d'><name>thing %d</name><p:price cur='eur'>%d.5</p:price><!-- c --><?pi x?></item>"
    % (i, i, i) for i in range(n)) + b"</shop>"

root = etree.fromstring(TEXT)
KEPT["root"] = root
KEPT["proxies"] = list(root.iter("name"))[:50]
KEPT["attributes"] = [e.attrib for e in root[:20]]
KEPT["xpath"] = root.xpath("//item[@id mod 7 = 0]/name/text()")
KEPT["compiled"] = [etree.XPath("count(//item)"), etree.XPathEvaluator(root),
                    etree.XPath("//p:price", namespaces={"p": "urn:p"})]
KEPT["strings"] = root.xpath("//@id")[:30]
KEPT["orphans"] = [etree.fromstring(TEXT)[3][0] for _ in range(5)]
KEPT["comments"] = [e for e in root.iter(etree.Comment)][:5]
KEPT["iterators"] = [root.iter(), root.iterchildren("item"), root.iterancestors(), root[3].itersiblings()]
next(KEPT["iterators"][0])
KEPT["html"] = html.fromstring("<p>one <b>two</b> <a href='x'>three</a></p>" * 20)
KEPT["links"] = list(KEPT["html"].iterlinks())
KEPT["object"] = objectify.fromstring(b"<r><a>1</a><a>2</a><b><c>x</c></b></r>")
KEPT["got"] = [KEPT["object"].a, KEPT["object"].b.c, KEPT["object"].a[1]]
KEPT["xslt"] = etree.XSLT(etree.fromstring(
    "<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'>"
    "<xsl:template match='/'><out><xsl:value-of select='count(//item)'/></out></xsl:template>"
    "</xsl:stylesheet>"))
KEPT["result"] = KEPT["xslt"](root)
KEPT["schema"] = etree.XMLSchema(etree.fromstring(
    "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='a' type='xs:int'/></xs:schema>"))
KEPT["valid"] = KEPT["schema"].validate(etree.fromstring("<a>x</a>"))
KEPT["errors"] = KEPT["schema"].error_log
KEPT["relax"] = etree.RelaxNG(etree.fromstring(
    "<element name='a' xmlns='http://relaxng.org/ns/structure/1.0'><text/></element>"))


class Target:
    def __init__(self):
        self.seen = []

    def start(self, tag, attrib):
        self.seen.append((tag, dict(attrib)))

    def end(self, tag):
        self.seen.append(tag)

    def close(self):
        return self.seen


KEPT["target"] = etree.fromstring(TEXT[:0] or b"<a><b c='d'/></a>", etree.XMLParser(target=Target()))
KEPT["feeding"] = etree.XMLParser(target=Target())
KEPT["feeding"].feed(b"<a><b>")
KEPT["pulling"] = etree.XMLPullParser(events=("start", "end"))
KEPT["pulling"].feed(TEXT[:len(TEXT) // 2])
KEPT["events"] = [next(KEPT["pulling"].read_events()) for _ in range(1)]
KEPT["iterparse"] = etree.iterparse(io.BytesIO(TEXT))
for _, element in zip(range(30), KEPT["iterparse"]):
    pass
lookup = etree.ElementNamespaceClassLookup()


class Item(etree.ElementBase):
    def _init(self):
        self.mark = ["made"]


lookup.get_namespace("")["item"] = Item
parser = etree.XMLParser()
parser.set_element_class_lookup(lookup)
KEPT["custom"] = list(etree.fromstring(TEXT, parser))[:20]
try:
    etree.fromstring(b"<broken><x></broken>")
except etree.XMLSyntaxError as e:
    KEPT["syntax"] = e
for _ in range(20):
    tree = etree.ElementTree(etree.fromstring(TEXT))
    cycle = [tree, tree.getroot()[0]]
    cycle.append(cycle)
del tree, cycle
record.die(sys.argv[1])
