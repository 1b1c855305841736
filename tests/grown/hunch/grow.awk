# grow.awk - the public headers as a later minor version might have them: every struct that may grow
# has one more field.  awk -v out=FOLDER -f grow.awk HEADER ..
FNR == 1 {
  if (to) close(to)
  to = FILENAME
  sub(/.*\//, out "/", to)
}
/^#define HN_ABI_MINOR / { $3 += 1 }
/^(typedef )?struct Hn[A-Za-z]* {/ { grows = !/HnRng/ }
/^}/ && grows {
  print "  int64_t grown;" >to
  grows = 0
}
{ print >to }
