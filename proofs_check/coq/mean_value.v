(* A mean value inequality: inside an interval the derivative is somewhere at most the mean slope. By halving, so that
   no axiom is needed beyond those of the reals; the standard library's mean value theorem rests on classical
   logic too. *)

From Coq Require Import Reals Lra Lia.
Open Scope R_scope.

(* Halving [a, b] again and again, on to a half whose mean slope is at most that of the whole. *)
Fixpoint halved (f : R -> R) (a b : R) (n : nat) : R * R :=
  match n with
  | O => (a, b)
  | S n => let m := (a + b) / 2 in
      if Rle_dec ((f m - f a) * (b - a)) ((f b - f a) * (m - a)) then halved f a m n else halved f m b n
  end.

Lemma halved_bounds f n : forall a b, a < b ->
  let c := fst (halved f a b n) in
  let d := snd (halved f a b n) in
  a <= c /\ c < d /\ d <= b /\ d - c = (b - a) / 2 ^ n /\ (f d - f c) * (b - a) <= (f b - f a) * (d - c).
Proof.
  cbv zeta. induction n as [|n IH]; intros a b ab; [simpl; repeat split; lra|].
  simpl halved. set (m := (a + b) / 2).
  assert (m - a = (b - a) / 2) as left by (unfold m; field). assert (b - m = (b - a) / 2) as right by (unfold m; field).
  assert (2 ^ n <> 0) by (apply pow_nonzero; lra).
  destruct (Rle_dec ((f m - f a) * (b - a)) ((f b - f a) * (m - a))) as [low|high].
  - destruct (IH a m) as [H1 [H2 [H3 [H4 H5]]]]; [lra|]. repeat split; try lra.
    + rewrite H4, left. simpl. field. easy.
    + rewrite left in *. nra.
  - destruct (IH m b) as [H1 [H2 [H3 [H4 H5]]]]; [lra|]. repeat split; try lra.
    + rewrite H4, right. simpl. field. easy.
    + rewrite left, right in *. assert ((f b - f m) * (b - a) <= (f b - f a) * ((b - a) / 2)) by nra. nra.
Qed.

Lemma halved_nested f a b n k : a < b ->
  fst (halved f a b n) <= fst (halved f a b (n + k)) /\ snd (halved f a b (n + k)) <= snd (halved f a b n).
Proof.
  revert a b. induction n as [|n IH]; intros a b ab.
  - destruct (halved_bounds f k a b ab) as [H1 [H2 [H3 _]]]. simpl. lra.
  - simpl. destruct Rle_dec; apply IH; lra.
Qed.

Lemma halving_unbounded (width d : R) : 0 < width -> 0 < d -> exists n, width / 2 ^ n < d.
Proof.
  intros w_pos d_pos. destruct (archimed (width / d)) as [far _].
  assert (0 < width / d) by now apply Rdiv_lt_0_compat.
  exists (Z.to_nat (up (width / d))). set (n := Z.to_nat _).
  assert (width / d < INR n) as reach.
  { unfold n. rewrite INR_IZR_INZ, Z2Nat.id; [lra|]. apply le_IZR. lra. }
  pose proof (poly n 1 Rlt_0_1) as bernoulli. replace (1 + 1) with 2 in bernoulli by ring.
  assert (0 < 2 ^ n) by (apply pow_lt; lra).
  apply (Rmult_lt_reg_r (2 ^ n)); [easy|]. replace (width / 2 ^ n * 2 ^ n) with (width / d * d) by (field; lra).
  nra.
Qed.

Lemma low_derivative (f D : R -> R) a b : a < b ->
  (forall t, a <= t <= b -> derivable_pt_lim f t (D t)) -> exists t, a <= t <= b /\ D t * (b - a) <= f b - f a.
Proof.
  intros ab derivable. set (c := fun n => fst (halved f a b n)). set (d := fun n => snd (halved f a b n)).
  assert (forall n, a <= c n /\ c n < d n /\ d n <= b /\ d n - c n = (b - a) / 2 ^ n
    /\ (f (d n) - f (c n)) * (b - a) <= (f b - f a) * (d n - c n)) as bounds by (intros; now apply halved_bounds).
  assert (forall m n, c m <= d n) as crossed.
  { intros m n. destruct (Nat.le_ge_cases m n) as [le|ge].
    - destruct (halved_nested f a b m (n - m) ab) as [up _]. replace (m + (n - m))%nat with n in up by lia.
      fold (c m) (c n) in up. destruct (bounds n) as [_ [cd _]]. lra.
    - destruct (halved_nested f a b n (m - n) ab) as [_ down]. replace (n + (m - n))%nat with m in down by lia.
      fold (d m) (d n) in down. destruct (bounds m) as [_ [cd _]]. lra. }
  destruct (completeness (fun s => exists n, s = c n)) as [t [upper least]].
  { exists b. intros s [n ->]. apply (crossed n 0%nat). }
  { exists (c 0%nat). now exists 0%nat. }
  assert (forall n, c n <= t <= d n) as inside.
  { intros n. split; [apply upper; now exists n|]. apply least. intros s [m ->]. apply crossed. }
  exists t. split; [exact (inside 0%nat)|]. apply Rnot_lt_le. intros high.
  assert (a <= t <= b) as t_inside by exact (inside 0%nat).
  set (s := (f b - f a) / (b - a)). assert (s * (b - a) = f b - f a) as mean by (unfold s; field; lra).
  assert (s < D t) as steep by (apply (Rmult_lt_reg_r (b - a)); lra).
  destruct (derivable t t_inside (D t - s)) as [[near near_pos] close]; [lra|]. simpl in close.
  destruct (halving_unbounded (b - a) near) as [n small]; [lra|easy|].
  destruct (bounds n) as [_ [cd [_ [width low]]]]. specialize (inside n).
  assert (forall h, h <> 0 -> Rabs h < near -> s < (f (t + h) - f t) / h) as quotient.
  { intros h nonzero Hh. specialize (close h nonzero Hh). apply Rabs_def2 in close. lra. }
  assert (f (d n) - f t >= s * (d n - t) /\ (t < d n -> f (d n) - f t > s * (d n - t))) as [right right_strict].
  { destruct (Req_dec (d n) t) as [->|differs]; [split; lra|].
    assert (s < (f (d n) - f t) / (d n - t)) as q.
    { replace (d n) with (t + (d n - t)) at 1 by ring. apply quotient; [lra|]. rewrite Rabs_pos_eq; lra. }
    apply (Rmult_lt_compat_r (d n - t)) in q; [|lra]. unfold Rdiv in q. rewrite Rmult_assoc, Rinv_l in q by lra. lra. }
  assert (f t - f (c n) >= s * (t - c n) /\ (c n < t -> f t - f (c n) > s * (t - c n))) as [left left_strict].
  { destruct (Req_dec (c n) t) as [->|differs]; [split; lra|].
    assert (s < (f (c n) - f t) / (c n - t)) as q.
    { replace (c n) with (t + (c n - t)) at 1 by ring. apply quotient; [lra|]. rewrite Rabs_left; lra. }
    replace ((f (c n) - f t) / (c n - t)) with ((f t - f (c n)) / (t - c n)) in q by (field; lra).
    apply (Rmult_lt_compat_r (t - c n)) in q; [|lra]. unfold Rdiv in q. rewrite Rmult_assoc, Rinv_l in q by lra. lra. }
  assert (f (d n) - f (c n) > s * (d n - c n)).
  { destruct (Rlt_dec t (d n)) as [H|]; [specialize (right_strict H)|specialize (left_strict ltac:(lra))]; lra. }
  nra.
Qed.

(* If the mean slope from a to c is below s, so is that from some point after a. *)
Lemma start_later (f : R -> R) a c s : a < c -> continuity_pt f a -> f c - f a < s * (c - a) ->
  exists e, a < e < c /\ f c - f e < s * (c - e).
Proof.
  intros ac continuous low. set (gap := s * (c - a) - (f c - f a)).
  destruct (continuous (gap / 2)) as [d [d_pos close]]; [unfold gap; lra|].
  set (step := Rmin (d / 2) (Rmin ((c - a) / 2) (gap / (2 * (Rabs s + 1))))). pose proof (Rabs_pos s).
  assert (0 < gap / (2 * (Rabs s + 1))) by (apply Rdiv_lt_0_compat; unfold gap; lra).
  assert (0 < step) by (repeat apply Rmin_glb_lt; lra).
  assert (step <= d / 2) by apply Rmin_l.
  assert (step <= (c - a) / 2) by (eapply Rle_trans; [apply Rmin_r|apply Rmin_l]).
  assert (step <= gap / (2 * (Rabs s + 1))) as small by (eapply Rle_trans; [apply Rmin_r|apply Rmin_r]).
  apply (Rmult_le_compat_r (2 * (Rabs s + 1))) in small; [|lra]. unfold Rdiv in small at 1.
  rewrite (Rmult_assoc gap), Rinv_l in small by lra.
  exists (a + step). split; [lra|].
  assert (Rabs (f (a + step) - f a) < gap / 2) as moved.
  { apply close. split; [split; [exact I|lra]|]. simpl. unfold R_dist. replace (a + step - a) with step by ring.
    rewrite Rabs_pos_eq; lra. }
  apply Rabs_def2 in moved. pose proof (Rle_abs s). assert (s * step <= Rabs s * step) by nra. unfold gap in *. nra.
Qed.

(* Inside an interval where f is differentiable the derivative is somewhere at most the mean slope. *)
Lemma low_derivative_inside (f D : R -> R) a b : a < b -> (forall t, a <= t <= b -> continuity_pt f t) ->
  (forall t, a < t < b -> derivable_pt_lim f t (D t)) -> exists t, a < t < b /\ D t * (b - a) <= f b - f a.
Proof.
  intros ab continuous derivable. set (s := (f b - f a) / (b - a)).
  assert (s * (b - a) = f b - f a) as mean by (unfold s; field; lra). set (h := (b - a) / 3).
  assert (forall c d, a < c -> c < d -> d < b -> f d - f c <= s * (d - c) ->
    exists t, a < t < b /\ D t * (b - a) <= f b - f a) as inner.
  { intros c d ac cd db low. destruct (low_derivative f D c d cd) as [t [Ht slope_t]]; [intros; apply derivable; lra|].
    exists t. split; [lra|]. assert (D t <= s) by (apply (Rmult_le_reg_r (d - c)); lra). nra. }
  destruct (Rle_dec (f (b - h) - f (a + h)) (s * (b - h - (a + h)))) as [middle|steep].
  - apply (inner (a + h) (b - h)); unfold h in *; lra.
  - destruct (Rlt_dec (f (a + h) - f a) (s * (a + h - a))) as [low|].
    + destruct (start_later f a (a + h) s) as [e [He slope_e]]; [unfold h; lra|apply continuous; lra|easy|].
      apply (inner e (a + h)); unfold h in *; lra.
    + (* the last third, mirrored *)
      destruct (start_later (fun t => - f (- t)) (- b) (- b + h) s) as [e [He slope_e]].
      * unfold h. lra.
      * apply continuity_pt_opp. apply (continuity_pt_comp Ropp f).
        -- apply continuity_pt_opp, derivable_continuous_pt, derivable_pt_id.
        -- rewrite Ropp_involutive. apply continuous. lra.
      * replace (- (- b + h)) with (b - h) by ring. rewrite Ropp_involutive. unfold h in *. lra.
      * replace (- (- b + h)) with (b - h) in slope_e by ring.
        apply (inner (b - h) (- e)); unfold h in *; lra.
Qed.
