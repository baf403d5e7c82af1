#include "report/html_text.h"

#include <gtest/gtest.h>

namespace cmpost {
namespace {

TEST(HtmlText, EscapesWhatHtmlReads) {
  EXPECT_EQ(html("<a href=\"x\" id='y'>&amp;"),
            "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;amp;");
  EXPECT_EQ(html("Zürich"), "Zürich");
}

TEST(HtmlText, NumbersStayOnOneLine) {
  EXPECT_EQ(html("11 986 of 12 000"), "11&nbsp;986 of 12&nbsp;000");
  EXPECT_EQ(html("under 0.1 %"), "under 0.1&nbsp;%");
  EXPECT_EQ(html("9 were"), "9 were");
  EXPECT_EQ(html(" 9 "), " 9 ");
  EXPECT_EQ(html_number(1234567), "1&nbsp;234&nbsp;567");
}

TEST(HtmlText, WhatOthersHaveWrittenCannotDeceive) {
  EXPECT_EQ(foreign(""), "");
  EXPECT_EQ(foreign("CN=a<b"), "<bdi>CN=a&lt;b</bdi>");
  EXPECT_EQ(foreign("a\xe2\x80\xae"
                    "b\n\x1b\xff"),
            "<bdi>a\\xe2\\x80\\xaeb\\x0a\\x1b\\xff</bdi>");
  EXPECT_EQ(foreign("abcdef", 3), "<bdi>abc...</bdi>");
  EXPECT_EQ(foreign("</bdi><script>"), "<bdi>&lt;/bdi&gt;&lt;script&gt;</bdi>");
}

TEST(HtmlText, ElementsAndCells) {
  EXPECT_EQ(element("p", "", "x"), "<p>x</p>\n");
  EXPECT_EQ(element("p", "class=\"a\"", "x"), "<p class=\"a\">x</p>\n");
  EXPECT_EQ(labelled_cell("For", "x"), "<td data-label=\"For\"><div>x</div></td>");
  EXPECT_EQ(labelled_cell("For", "", " class=\"n\""), "<td data-label=\"For\" class=\"n\"></td>");
}

}  // namespace
}  // namespace cmpost
