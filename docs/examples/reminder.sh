#!/bin/sh
# Reminds a user of something, once a day. In a crontab:
#
#   55 8 * * 1-5  $HOME/bin/reminder.sh stand-up bob "Stand-up in 5 minutes"
#
# It uses the p2pchat or p2pchat-bridge that runs for this user already, and needs no password.
# Cron mails what it prints.
set -u

if [ $# -ne 3 ]; then
  echo "usage: reminder.sh NAME USER TEXT" >&2
  exit 2
fi
name=$1 user=$2 text=$3

# The id makes it safe to run this as often as one likes: it is sent once a day.
p2pchat send --to "$user" --id "reminder-$name-$(date +%F)" \
  --wait delivered --timeout "${REMINDER_TIMEOUT:-60s}" "$text"
code=$?

case $code in
  0) ;;
  3) echo "nobody is signed in: start p2pchat, or p2pchat-bridge" ;;
  5) echo "$user was not reminded, for the reason above" ;;
  6) echo "$user may not have got the reminder" ;;
  *) echo "p2pchat ended with $code" ;;
esac
exit $code
