// The run that has a channel, in statements: what it takes is the name of the channel.
#pragma once

#define RUN_OF_CHANNEL "ifnull((SELECT run FROM run_channel WHERE channel = ?), 0)"
