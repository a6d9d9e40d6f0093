; Counting two sets member by member: |A| + |B| = |A or B| + |A and B|, and |A or B| <= n, for any number n of members.
;
; By induction on the members that have been counted. The other lemmas about sizes assume this and nothing else of sets.
; Raft needs it wherever two majorities are said to have a member in common: election safety and leader completeness
; (Ongaro and Ousterhout 2014, sections 5.2 and 5.4.3).

; So many members were counted, so many of them are in A, in B, in either, in both; and some member was seen in both.
(declare-const n Int)
(declare-const a Int)
(declare-const b Int)
(declare-const either Int)
(declare-const both Int)
(declare-const common Bool)

(define-fun holds ((n Int) (a Int) (b Int) (either Int) (both Int) (common Bool)) Bool
  (and (= (+ a b) (+ either both)) (<= either n) (<= 0 both) (=> (> both 0) common)))
(define-fun one-if ((counted Bool)) Int (ite counted 1 0))

(echo "lemma: it holds before any member is counted")
(push 1)
(assert (not (holds 0 0 0 0 0 false)))
(check-sat)
(pop 1)

; One more member: it is in A or not, in B or not.
(declare-const in-a Bool)
(declare-const in-b Bool)
(assert (holds n a b either both common))

(echo "lemma: it still holds when one more member is counted")
(push 1)
(assert (not (holds (+ n 1) (+ a (one-if in-a)) (+ b (one-if in-b)) (+ either (one-if (or in-a in-b)))
  (+ both (one-if (and in-a in-b))) (or common (and in-a in-b)))))
(check-sat)
(pop 1)

(echo "twin: not when a member of both is counted as one of either alone")
(push 1)
(assert (not (holds (+ n 1) (+ a (one-if in-a)) (+ b (one-if in-b)) (+ either (one-if (or in-a in-b)))
  (+ both (one-if (and in-a (not in-b)))) (or common (and in-a in-b)))))
(check-sat)
(pop 1)

(echo "twin: not when one that is counted is no member, so that A and B grow and n does not")
(push 1)
(assert (not (holds n (+ a (one-if in-a)) (+ b (one-if in-b)) (+ either (one-if (or in-a in-b)))
  (+ both (one-if (and in-a in-b))) (or common (and in-a in-b)))))
(check-sat)
(pop 1)
