/** What Instagram's API does not give back, in sentences for the plan and the help; docs/OPERATIONS.md has the sources. */
export const notGivenBack = [
  "Messages beyond the 20 newest of a conversation, and conversations in Requests without activity for 30 days.",
  "Messages and comments that were deleted or unsent meanwhile, and that they were; edits, except their last text.",
  "Reactions, reads, referrals, opt-ins, handovers, policy notices and story insights: the API lists no such events.",
  "Postbacks and quick replies as such: a tap comes as a message with the button's text, without its payload.",
  "Mentions in captions and in comments on media of others: the API finds them by the ids of the lost webhook only.",
  "Comments during a broadcast, on stories, and hidden ones; an answer within the gap to a far older comment.",
  "Media of stories that have expired, standby copies of another app's conversations, and milliseconds of times.",
] as const;
