(* Walker 2023, Remark 2.5: eq 2 is not necessary for linear stability (W2). Stability is shown by a certificate over
   the rationals: a matrix P with P and P - E[A^T P A] positive definite, A = I - eta H_batch, which a computation
   checks. *)

From Coq Require Import Reals Lra Lia List Bool QArith Qreals.
From ImplicitSmoothness Require Import Sums batches mulayoff2021.stability walker2023.linear_stability.
Import ListNotations.
Open Scope R_scope.

(* ** What a certificate proves, over the reals, in any dimension. *)

Section Certificate.
  Context {A : Type}.
  Variable coordinates : list A.
  Notation dot := (dot coordinates).
  Notation quadratic := (quadratic coordinates).

  (* E of a quadratic form in v_t shrinks by rho in every step if it does so in one. *)
  Lemma expected_form_shrinks eta draws P rho :
    0 <= rho ->
    (forall v, mean (fun b => quadratic P (step coordinates eta b v)) draws <= rho * quadratic P v) ->
    forall t v, expectation coordinates eta draws t (quadratic P) v <= rho ^ t * quadratic P v.
  Proof.
    intros rho_pos shrinks t. induction t as [|t IH]; intros v; simpl; [lra|].
    apply Rle_trans with (mean (fun b => rho ^ t * quadratic P (step coordinates eta b v)) draws).
    { apply mean_le. intros b _. apply IH. }
    rewrite mean_scal. replace (rho * rho ^ t * quadratic P v) with (rho ^ t * (rho * quadratic P v)) by ring.
    apply Rmult_le_compat_l; [now apply pow_le|apply shrinks].
  Qed.

  (* A form is at most a multiple of the squared length: sum |P_pq| will do. *)
  Lemma form_bounded P : exists K, 0 < K /\ forall v, quadratic P v <= K * dot v v.
  Proof.
    exists (1 + sum (fun p => sum (fun q => Rabs (P p q)) coordinates) coordinates). split.
    { apply Rplus_lt_le_0_compat; [lra|]. apply sum_nonneg. intros p _. apply sum_nonneg. intros. apply Rabs_pos. }
    intros v. apply Rle_trans with (sum (fun p => sum (fun q => Rabs (P p q)) coordinates) coordinates * dot v v).
    2: { pose proof (dot_pos coordinates v). lra. }
    unfold stability.quadratic, stability.dot at 1, apply.
    rewrite <- sum_scal_r. apply sum_le. intros p Hp. rewrite <- sum_scal, <- sum_scal_r.
    apply sum_le. intros q Hq.
    pose proof (sum_ge_term (fun r => v r * v r) coordinates p) as at_p.
    pose proof (sum_ge_term (fun r => v r * v r) coordinates q) as at_q. cbv beta in at_p, at_q.
    fold (dot v v) in at_p, at_q.
    assert (v p * v p <= dot v v) by (apply at_p; [intros; nra|easy]).
    assert (v q * v q <= dot v v) by (apply at_q; [intros; nra|easy]).
    pose proof (Rle_abs (P p q)). pose proof (Rle_abs (- P p q)) as below. rewrite Rabs_Ropp in below.
    assert (v p * v q <= dot v v) by nra. assert (- (v p * v q) <= dot v v) by nra.
    destruct (Rle_dec 0 (v p * v q)); nra.
  Qed.

  Lemma expectation_pos eta draws t F v :
    draws <> [] -> (forall w, 0 <= F w) -> 0 <= expectation coordinates eta draws t F v.
  Proof.
    intros nonempty pos. revert v. induction t as [|t IH]; intros v; simpl; [apply pos|]. now apply mean_nonneg.
  Qed.

  (* P >= c I and P - E[A^T P A] >= c' I, c and c' above 0: the expected squared distance goes to 0 geometrically. *)
  Theorem certificate_suffices eta draws P c c' :
    draws <> [] -> 0 < c -> 0 < c' ->
    (forall v, c * dot v v <= quadratic P v) ->
    (forall v, c' * dot v v <= quadratic P v - mean (fun b => quadratic P (step coordinates eta b v)) draws) ->
    exists C rho, 0 < C /\ 0 <= rho < 1 /\
      forall t v, expectation coordinates eta draws t (fun w => dot w w) v <= C * rho ^ t * dot v v.
  Proof.
    intros nonempty c_pos c'_pos definite shrinks. destruct (form_bounded P) as [K [K_pos bounded]].
    set (rho := Rmax 0 (1 - c' / K)). assert (0 < c' / K) by now apply Rdiv_lt_0_compat.
    assert (0 <= rho < 1) as rho_small by (unfold rho; split; [apply Rmax_l|apply Rmax_lub_lt; lra]).
    exists (K / c), rho. split; [now apply Rdiv_lt_0_compat|]. split; [easy|]. intros t v.
    assert (expectation coordinates eta draws t (quadratic P) v <= rho ^ t * quadratic P v) as form.
    { apply expected_form_shrinks; [easy|]. intros w. specialize (shrinks w). specialize (bounded w).
      assert (1 - c' / K <= rho) by apply Rmax_r.
      assert (0 <= quadratic P w) by (pose proof (definite w); pose proof (dot_pos coordinates w); nra).
      assert (c' / K * quadratic P w <= c' * dot w w).
      { replace (c' * dot w w) with (c' / K * (K * dot w w)) by (field; lra). apply Rmult_le_compat_l; lra. }
      nra. }
    assert (c * expectation coordinates eta draws t (fun w => dot w w) v
      <= expectation coordinates eta draws t (quadratic P) v) as lower.
    { rewrite <- expectation_scal. apply expectation_le. apply definite. }
    specialize (bounded v). assert (0 <= rho ^ t) by now apply pow_le.
    apply (Rmult_le_reg_l c); [easy|]. replace (c * (K / c * rho ^ t * dot v v)) with (rho ^ t * (K * dot v v))
      by (field; lra).
    nra.
  Qed.

  (* The other way: where E[A^T P A] >= rho P with rho > 1, a start with v^T P v > 0 makes the second moments
     unbounded. *)
  Theorem certificate_of_instability eta draws P rho v :
    draws <> [] -> 1 < rho -> 0 < quadratic P v ->
    (forall w, rho * quadratic P w <= mean (fun b => quadratic P (step coordinates eta b w)) draws) ->
    ~ mean_square_stable coordinates eta draws.
  Proof.
    intros nonempty rho_big start grows [C stable].
    assert (forall t w, rho ^ t * quadratic P w <= expectation coordinates eta draws t (quadratic P) w) as lower.
    { intros t. induction t as [|t IH]; intros w; simpl; [lra|].
      apply Rle_trans with (mean (fun b => rho ^ t * quadratic P (step coordinates eta b w)) draws).
      2: { apply mean_le. intros b _. apply IH. }
      rewrite mean_scal. replace (rho * rho ^ t * quadratic P w) with (rho ^ t * (rho * quadratic P w)) by ring.
      apply Rmult_le_compat_l; [apply pow_le; lra|apply grows]. }
    destruct (form_bounded P) as [K [K_pos bounded]].
    destruct (powers_unbounded rho (K * (C * dot v v) / quadratic P v) 0 rho_big) as [k [_ large]].
    specialize (lower (2 ^ k)%nat v). specialize (stable (2 ^ k)%nat v).
    assert (expectation coordinates eta draws (2 ^ k) (quadratic P) v
      <= K * expectation coordinates eta draws (2 ^ k) (fun w => dot w w) v) as upper.
    { rewrite <- expectation_scal. apply expectation_le. apply bounded. }
    assert (K * (C * dot v v) < rho ^ 2 ^ k * quadratic P v).
    { replace (K * (C * dot v v)) with (K * (C * dot v v) / quadratic P v * quadratic P v) by (field; lra).
      now apply Rmult_lt_compat_r. }
    assert (K * expectation coordinates eta draws (2 ^ k) (fun w => dot w w) v <= K * (C * dot v v))
      by (apply Rmult_le_compat_l; lra). lra.
  Qed.

  (* A^T P A *)
  Definition congruence (M P : A -> A -> R) : A -> A -> R :=
    fun p q => sum (fun r => sum (fun s => M r p * P r s * M s q) coordinates) coordinates.

  Lemma quadratic_congruence M P v : quadratic (congruence M P) v = quadratic P (apply coordinates M v).
  Proof.
    set (w := apply coordinates M v). unfold stability.quadratic.
    assert (forall p, apply coordinates (congruence M P) v p
      = sum (fun r => M r p * apply coordinates P w r) coordinates) as inner.
    { intros p. unfold apply at 1, congruence.
      rewrite (sum_eq _ (fun q => sum (fun r => sum (fun s => M r p * P r s * M s q * v q) coordinates) coordinates)).
      2: { intros q _. rewrite <- sum_scal_r. apply sum_eq. intros r _. now rewrite <- sum_scal_r. }
      rewrite sum_swap. apply sum_eq. intros r _. rewrite sum_swap. unfold apply at 1. rewrite <- sum_scal.
      apply sum_eq. intros s _. unfold w, apply. rewrite <- !sum_scal. apply sum_eq. intros. ring. }
    unfold stability.dot.
    rewrite (sum_eq _ (fun p => sum (fun r => M r p * v p * apply coordinates P w r) coordinates)).
    2: { intros p _. rewrite inner, <- sum_scal. apply sum_eq. intros. ring. }
    rewrite sum_swap. apply sum_eq. intros r _. unfold w at 2, apply at 2. now rewrite <- sum_scal_r.
  Qed.

  Lemma quadratic_mean Ms v : quadratic (mean_matrix Ms) v = mean (fun M => quadratic M v) Ms.
  Proof.
    unfold stability.quadratic, stability.dot. rewrite mean_sum_swap.
    apply sum_eq. intros p _. now rewrite apply_mean, mean_scal.
  Qed.

  Lemma quadratic_minus M N v : quadratic (fun p q => M p q - N p q) v = quadratic M v - quadratic N v.
  Proof.
    unfold stability.quadratic, stability.dot. rewrite <- sum_minus.
    apply sum_eq. intros p _. unfold apply. rewrite <- Rmult_minus_distr_l, <- sum_minus. f_equal.
    apply sum_eq. intros. ring.
  Qed.
End Certificate.

(* ** The computation, over the rationals. A matrix of d rows is a function on the indices below d. *)

Fixpoint qsum {A : Type} (f : A -> Q) (l : list A) : Q :=
  match l with [] => 0%Q | a :: rest => (f a + qsum f rest)%Q end.
Definition qmean {A : Type} (f : A -> Q) (l : list A) : Q := (qsum f l / inject_Z (Z.of_nat (length l)))%Q.

Definition symmetric_q (d : nat) (M : nat -> nat -> Q) : bool :=
  forallb (fun p => forallb (fun q => Qeq_bool (M p q) (M q p)) (seq 0 d)) (seq 0 d).

(* Elimination from the last index on: every pivot must be positive. *)
Fixpoint definite_q (d : nat) (M : nat -> nat -> Q) : bool :=
  match d with
  | O => true
  | S e => negb (Qle_bool (M e e) 0) && definite_q e (fun p q => M p q - M p e * M e q / M e e)%Q
  end.

(* I - eta H_batch, A^T P A, and E[A^T P A] over all batches of B. *)
Definition step_q (eta : Q) (b : list (nat -> nat -> Q)) : nat -> nat -> Q :=
  fun p q => ((if p =? q then 1 else 0) - eta * qmean (fun H => H p q) b)%Q.
Definition congruence_q (d : nat) (M P : nat -> nat -> Q) : nat -> nat -> Q :=
  fun p q => qsum (fun r => qsum (fun s => M r p * P r s * M s q)%Q (seq 0 d)) (seq 0 d).
Definition expected_q (d : nat) (eta : Q) (B : nat) (Hs : list (nat -> nat -> Q)) (P : nat -> nat -> Q)
  : nat -> nat -> Q :=
  fun p q => qmean (fun b => congruence_q d (step_q eta b) P p q) (batches B Hs).

Definition certificate_q (d : nat) (eta : Q) (B : nat) (Hs : list (nat -> nat -> Q)) (P : nat -> nat -> Q) : bool :=
  let rest := fun p q => (P p q - expected_q d eta B Hs P p q)%Q in
  symmetric_q d P && definite_q d P && symmetric_q d rest && definite_q d rest.

Definition to_real (M : nat -> nat -> Q) : nat -> nat -> R := fun p q => Q2R (M p q).

Lemma Q2R_sum {A : Type} (f : A -> Q) l : Q2R (qsum f l) = sum (fun a => Q2R (f a)) l.
Proof. induction l as [|a l IH]; simpl; [apply RMicromega.Q2R_0|]. now rewrite Q2R_plus, IH. Qed.

Lemma Q2R_mean {A : Type} (f : A -> Q) l : l <> [] -> Q2R (qmean f l) = mean (fun a => Q2R (f a)) l.
Proof.
  intros nonempty. unfold qmean, mean.
  assert (Q2R (inject_Z (Z.of_nat (length l))) = INR (length l)) as size
    by (unfold Q2R; simpl; rewrite <- INR_IZR_INZ; lra).
  rewrite Q2R_div, Q2R_sum, size; [easy|]. intros zero. apply Qeq_eqR in zero. rewrite size, RMicromega.Q2R_0 in zero.
  pose proof (length_pos l nonempty). lra.
Qed.

Lemma symmetric_q_sound d M : symmetric_q d M = true -> symmetric (seq 0 d) (to_real M).
Proof.
  intros check p q Hp Hq. unfold symmetric_q in check. rewrite forallb_forall in check. specialize (check p Hp).
  rewrite forallb_forall in check. specialize (check q Hq). now apply Qeq_eqR, Qeq_bool_eq.
Qed.

Lemma sum_last (f : nat -> R) d : sum f (seq 0 (S d)) = sum f (seq 0 d) + f d.
Proof. rewrite seq_S, sum_app. simpl. ring. Qed.

(* Completing the square in the last coordinate. *)
Lemma complete_square d (M : nat -> nat -> R) v :
  symmetric (seq 0 (S d)) M -> M d d <> 0 ->
  quadratic (seq 0 (S d)) M v
  = M d d * (v d + sum (fun q => M d q * v q) (seq 0 d) / M d d) ^ 2
    + quadratic (seq 0 d) (fun p q => M p q - M p d * M d q / M d d) v.
Proof.
  intros sym pivot. unfold quadratic, dot, apply. rewrite sum_last. set (u := sum (fun q => M d q * v q) (seq 0 d)).
  rewrite !sum_last. fold u.
  assert (sum (fun p => v p * M p d) (seq 0 d) = u) as column.
  { apply sum_eq. intros p Hp. rewrite (sym p d); [ring| |]; apply in_seq; apply in_seq in Hp; lia. }
  rewrite (sum_eq _ (fun p => v p * sum (fun q => M p q * v q) (seq 0 d) + v p * M p d * v d))
    by (intros p _; rewrite sum_last; ring).
  rewrite sum_plus, sum_scal_r, column.
  rewrite (sum_eq (fun p => v p * sum (fun q => (M p q - M p d * M d q / M d d) * v q) (seq 0 d))
    (fun p => v p * sum (fun q => M p q * v q) (seq 0 d) - v p * M p d * (u / M d d))).
  - rewrite sum_minus, sum_scal_r, column. field. easy.
  - intros p _.
    rewrite (sum_eq _ (fun q => M p q * v q - M p d * / M d d * (M d q * v q))) by (intros; field; easy).
    rewrite sum_minus, sum_scal. fold u. field. easy.
Qed.

(* If the elimination succeeds, the matrix is at least c I, c > 0. *)
Lemma definite_q_sound d : forall M,
  symmetric (seq 0 d) (to_real M) -> definite_q d M = true ->
  exists c, 0 < c /\ forall v, c * dot (seq 0 d) v v <= quadratic (seq 0 d) (to_real M) v.
Proof.
  induction d as [|d IH]; intros M sym check.
  { exists 1. split; [lra|]. intros v. unfold quadratic, dot. simpl. lra. }
  simpl in check. apply andb_prop in check as [pivot check].
  assert (0 < Q2R (M d d)) as positive.
  { rewrite <- RMicromega.Q2R_0. apply Qlt_Rlt. apply Qnot_le_lt. intros le. apply Qle_bool_iff in le.
    now rewrite le in pivot. }
  assert (~ (M d d == 0)%Q) as nonzero by (intros zero; apply Qeq_eqR in zero; rewrite RMicromega.Q2R_0 in zero; lra).
  set (N := fun p q => (M p q - M p d * M d q / M d d)%Q) in *.
  assert (forall p q, to_real N p q = to_real M p q - to_real M p d * to_real M d q / to_real M d d) as same.
  { intros p q. unfold to_real, N. now rewrite Q2R_minus, Q2R_div, Q2R_mult. }
  assert (symmetric (seq 0 d) (to_real N)) as sym'.
  { intros p q Hp Hq. apply in_seq in Hp, Hq. rewrite !same.
    rewrite (sym p q), (sym p d), (sym d q) by (apply in_seq; lia). unfold Rdiv. ring. }
  destruct (IH N sym' check) as [c [c_pos lower]].
  set (a := Q2R (M d d)) in *. set (l := fun q => Q2R (M d q) / a). set (s := dot (seq 0 d) l l).
  assert (0 <= s) as s_pos by apply dot_pos.
  set (e := Rmin (a / 2) (c / (1 + 2 * s))).
  assert (0 < e) as e_pos by (unfold e; apply Rmin_glb_lt; [lra|apply Rdiv_lt_0_compat; lra]).
  assert (2 * e <= a) as small by (pose proof (Rmin_l (a / 2) (c / (1 + 2 * s))); unfold e; lra).
  assert (e * (1 + 2 * s) <= c) as small'.
  { pose proof (Rmin_r (a / 2) (c / (1 + 2 * s))). unfold e.
    apply Rle_trans with (c / (1 + 2 * s) * (1 + 2 * s)); [apply Rmult_le_compat_r; lra|]. apply Req_le. field. lra. }
  exists e. split; [easy|]. intros v.
  rewrite complete_square by (easy || (unfold to_real; fold a; lra)).
  replace (quadratic (seq 0 d) (fun p q => to_real M p q - to_real M p d * to_real M d q / to_real M d d) v)
    with (quadratic (seq 0 d) (to_real N) v)
    by (apply sum_eq; intros p _; unfold apply; f_equal; apply sum_eq; intros; now rewrite same).
  specialize (lower v). change (to_real M d d) with a.
  replace (sum (fun q => to_real M d q * v q) (seq 0 d) / a) with (dot (seq 0 d) l v).
  2: { unfold dot, l, to_real, Rdiv. rewrite <- sum_scal_r. apply sum_eq. intros. ring. }
  set (x := dot (seq 0 d) l v) in *. set (w := dot (seq 0 d) v v) in *.
  assert (x * x <= s * w) by apply cauchy_schwarz.
  assert (0 <= w) by apply dot_pos.
  assert (dot (seq 0 (S d)) v v = w + v d * v d) as -> by (unfold dot; now rewrite sum_last).
  (* v_d^2 <= 2 (v_d + x)^2 + 2 x^2 *)
  assert (v d * v d <= 2 * (v d + x) ^ 2 + 2 * (s * w)) by (pose proof (pow2_ge_0 (v d + 2 * x)); nra).
  assert (e * (v d * v d) <= e * (2 * (v d + x) ^ 2 + 2 * (s * w))) by (apply Rmult_le_compat_l; lra).
  assert (2 * e * (v d + x) ^ 2 <= a * (v d + x) ^ 2) by (apply Rmult_le_compat_r; [apply pow2_ge_0|easy]).
  assert (e * (1 + 2 * s) * w <= c * w) by (apply Rmult_le_compat_r; lra). nra.
Qed.

Lemma batches_map {A C : Type} (f : A -> C) B l : batches B (map f l) = map (map f) (batches B l).
Proof.
  revert B. induction l as [|a l IH]; intros [|B]; try easy.
  simpl. rewrite map_app, !IH, !map_map. reflexivity.
Qed.

Lemma sum_delta (v : nat -> R) p l : NoDup l -> In p l -> sum (fun q => (if p =? q then 1 else 0) * v q) l = v p.
Proof.
  intros distinct. induction distinct as [|q l fresh _ IH]; [easy|]. intros [->|Hp]; simpl.
  - rewrite Nat.eqb_refl, sum_zero; [ring|]. intros r Hr. destruct (Nat.eqb_spec p r) as [->|]; [easy|ring].
  - rewrite IH by easy. destruct (Nat.eqb_spec p q) as [->|]; [easy|ring].
Qed.

(* The matrix that is computed is that of a step. *)
Lemma step_matrix d eta b v p :
  b <> [] -> (p < d)%nat ->
  apply (seq 0 d) (to_real (step_q eta b)) v p
  = step (seq 0 d) (Q2R eta) (Batch (fun _ => 0) (mean_matrix (map to_real b))) v p.
Proof.
  intros nonempty Hp. unfold step. simpl. rewrite Rplus_0_l. unfold apply.
  assert (forall q, to_real (step_q eta b) p q = (if p =? q then 1 else 0)
    - Q2R eta * mean_matrix (map to_real b) p q) as entry.
  { intros q. unfold to_real at 1, step_q. rewrite Q2R_minus, Q2R_mult, Q2R_mean by easy.
    unfold mean_matrix. rewrite mean_map. f_equal. destruct (p =? q); [apply RMicromega.Q2R_1|apply RMicromega.Q2R_0]. }
  rewrite (sum_eq _ (fun q => (if p =? q then 1 else 0) * v q - Q2R eta * (mean_matrix (map to_real b) p q * v q)))
    by (intros; rewrite entry; ring).
  rewrite sum_minus, sum_scal, sum_delta; [easy|apply seq_NoDup|apply in_seq; lia].
Qed.

Lemma quadratic_ext {A : Type} (coordinates : list A) M N v w :
  (forall p q, In p coordinates -> In q coordinates -> M p q = N p q) -> (forall p, In p coordinates -> v p = w p) ->
  quadratic coordinates M v = quadratic coordinates N w.
Proof.
  intros same same'. apply sum_eq. intros p Hp. rewrite same' by easy. f_equal. apply sum_eq. intros q Hq.
  now rewrite same, same'.
Qed.

(* A certificate that the computation accepts proves mean-square stability, in any dimension, for any number of samples
   and batch size: E ||w_t||^2 even goes to 0 geometrically. *)
Theorem certificate_sound d eta B Hs P :
  (1 <= B <= length Hs)%nat -> certificate_q d eta B Hs P = true ->
  exists C rho, 0 < C /\ 0 <= rho < 1 /\
    forall t v, expectation (seq 0 d) (Q2R eta) (sgd_draws B (map to_real Hs)) t (fun w => dot (seq 0 d) w w) v
      <= C * rho ^ t * dot (seq 0 d) v v.
Proof.
  intros size check. unfold certificate_q in check. apply andb_prop in check as [check definite'].
  apply andb_prop in check as [check sym']. apply andb_prop in check as [sym definite].
  apply symmetric_q_sound in sym, sym'.
  destruct (definite_q_sound d _ sym definite) as [c [c_pos lower]].
  destruct (definite_q_sound d _ sym' definite') as [c' [c'_pos lower']].
  apply (certificate_suffices (seq 0 d) (Q2R eta) _ (to_real P) c c'); try easy.
  { apply draws_exist. now rewrite map_length. }
  intros v. eapply Rle_trans; [apply lower'|]. apply Req_le.
  rewrite (quadratic_ext _ _ (fun p q => to_real P p q
    - mean_matrix (map (fun b => congruence (seq 0 d) (to_real (step_q eta b)) (to_real P)) (batches B Hs)) p q) v v).
  - rewrite quadratic_minus, quadratic_mean, mean_map. f_equal. unfold sgd_draws. rewrite batches_map, !mean_map.
    apply mean_eq. intros b Hb. rewrite quadratic_congruence. apply quadratic_ext; [easy|].
    intros p Hp. apply step_matrix; [|apply in_seq in Hp; lia].
    intros ->. apply batch_length in Hb. simpl in Hb. lia.
  - intros p q _ _. unfold to_real at 1. rewrite Q2R_minus. fold (to_real P p q). f_equal.
    unfold expected_q, mean_matrix. rewrite Q2R_mean, mean_map by (apply batches_exist; lia).
    apply mean_eq. intros b _. unfold congruence_q, congruence. rewrite Q2R_sum. apply sum_eq. intros r _.
    rewrite Q2R_sum. apply sum_eq. intros s _. now rewrite !Q2R_mult.
  - easy.
Qed.

Corollary certificate_stable d eta B Hs P :
  (1 <= B <= length Hs)%nat -> certificate_q d eta B Hs P = true ->
  mean_square_stable (seq 0 d) (Q2R eta) (sgd_draws B (map to_real Hs)).
Proof.
  intros size check. destruct (certificate_sound d eta B Hs P size check) as [C [rho [C_pos [rho_small bound]]]].
  exists C. intros t v. eapply Rle_trans; [apply bound|]. apply Rmult_le_compat_r; [apply dot_pos|].
  rewrite <- (Rmult_1_r C) at 2. apply Rmult_le_compat_l; [lra|]. rewrite <- (pow1 t). apply pow_incr. lra.
Qed.

(* ** The witness: linear regression with an intercept on x = 0, -1, 1, whose Hessians are phi phi^T. *)

Definition outer_product (phi : nat -> Q) : nat -> nat -> Q := fun p q => (phi p * phi q)%Q.
Definition feature (x : Q) (p : nat) : Q := match p with O => 1%Q | _ => x end.
Definition three_points : list (nat -> nat -> Q) := map (fun x => outer_product (feature x)) [0%Q; (-1)%Q; 1%Q].
Definition weighing (p q : nat) : Q :=
  match p, q with O, O => 31%Q | S O, S O => 38%Q | _, _ => 0%Q end.

Example certificate_checks : certificate_q 2 (11 # 10) 1 three_points weighing = true.
Proof. vm_compute. reflexivity. Qed.

(* walker2023, Remark 2.5, eq 2 (W2): "a simpler necessary condition is 0 <= a <= 2/eta and 0 <= s <= (1/eta)
   sqrt(B(n-1)/(n-B))", s^2 = lambda_max(Sigma). At eta = 11/10, B = 1 the three points are stable, and Sigma has an
   eigenvalue, 8/9, above the square of the bound on s. *)
Theorem eq_2_is_not_necessary :
  let Hs := map to_real three_points in
  let eta := 11 / 10 in
  mean_square_stable (seq 0 2) eta (sgd_draws 1 Hs)
  /\ exists v : nat -> R,
       v 1%nat = 1 /\ (forall p, (p < 2)%nat -> sigma (seq 0 2) Hs v p = 8 / 9 * v p)
       /\ (1 / eta * sqrt (INR 1 * (INR (length Hs) - 1) / (INR (length Hs) - INR 1))) ^ 2 < 8 / 9.
Proof.
  intros Hs eta. split.
  - replace eta with (Q2R (11 # 10)) by (unfold Q2R, eta; simpl; lra).
    apply (certificate_stable 2 (11 # 10) 1 three_points weighing); [simpl; lia|apply certificate_checks].
  - exists (fun p => if p =? 1 then 1 else 0). split; [reflexivity|]. split.
    + intros [|[|p]] Hp; [| |lia]; unfold sigma, apply, mean_matrix, mean, Hs, to_real, outer_product; simpl;
        unfold Q2R; simpl; lra.
    + replace (INR (length Hs)) with 3 by (simpl; lra). simpl (INR 1). replace (1 * (3 - 1) / (3 - 1)) with 1 by lra.
      rewrite sqrt_1. unfold eta. lra.
Qed.
