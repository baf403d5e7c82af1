// What the page looks like: on screens, light and dark, on a phone and on paper.
#pragma once

#include <string_view>

namespace cmpost {

// CSS; nothing of it is fetched from anywhere.
std::string_view page_style();
// An SVG that is not seen and that has the patterns which the style fills bars with: two results
// differ in black and white, too.
std::string_view page_patterns();

}  // namespace cmpost
