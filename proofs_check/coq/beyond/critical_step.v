(* B1.a: the least int |f''| g over all functions that interpolate the data, g the weight of Mulayoff, Michaeli and
   Soudry 2021 (eq 22), and the step size beyond which none of them satisfies Theorem 1 there (M6). B1 as first stated
   is false. *)

From Coq Require Import Reals Lra Lia List Sorted.
From ImplicitSmoothness Require Import Sums two_layer mulayoff2021.stability mulayoff2021.smooth
  beyond.critical_step_exchange.
Import ListNotations.
Open Scope R_scope.

(** * The weight g beside and between data points *)

Definition holds {P : Prop} (decision : {P} + {~ P}) : bool := if decision then true else false.

Definition at_or_below (t : R) (x : list R) : list R := filter (fun a => holds (Rle_dec a t)) x.
Definition at_or_above (t : R) (x : list R) : list R := filter (fun a => holds (Rle_dec t a)) x.

(* P(X in S)^2 E[sign (t - X) | X in S] sqrt(1 + E[X | X in S]^2), S a part of the data. *)
Definition one_sided (x : list R) (sign : R) (S : list R) (t : R) : R :=
  share S x ^ 2 * mean (fun a => sign * (t - a)) S * sqrt (1 + mean (fun a => a) S ^ 2).

Lemma g_as_one_sided x t : g x t = Rmin (one_sided x 1 (below t x) t) (one_sided x (-1) (above t x) t).
Proof.
  unfold g, g_minus, g_plus, one_sided.
  rewrite (mean_eq (fun a => t - a) (fun a => 1 * (t - a))), (mean_eq (fun a => a - t) (fun a => -1 * (t - a)))
    by (intros; ring). reflexivity.
Qed.

(* g(t-), g(t+) and the lower of them, g_*. *)
Definition g_from_left (x : list R) (t : R) : R :=
  Rmin (one_sided x 1 (below t x) t) (one_sided x (-1) (at_or_above t x) t).
Definition g_from_right (x : list R) (t : R) : R :=
  Rmin (one_sided x 1 (at_or_below t x) t) (one_sided x (-1) (above t x) t).
Definition lowest_weight (x : list R) (t : R) : R := Rmin (g_from_left x t) (g_from_right x t).

Section Weight.
  Variable xs : list R. (* the data points; X is uniform on them *)

  Lemma one_sided_affine sign S : exists rate, forall t u,
    one_sided xs sign S u = one_sided xs sign S t + rate * (u - t).
  Proof.
    exists (share S xs ^ 2 * sign * (INR (length S) / INR (length S)) * sqrt (1 + mean (fun x => x) S ^ 2)).
    intros t u. unfold one_sided at 1 2. unfold mean at 1 3.
    rewrite !sum_scal, !sum_minus, !sum_const. unfold Rdiv; ring.
  Qed.

  Lemma one_sided_nonneg sign S t : (forall x, In x S -> 0 <= sign * (t - x)) -> 0 <= one_sided xs sign S t.
  Proof.
    intros H; unfold one_sided. apply Rmult_le_pos; [apply Rmult_le_pos|apply sqrt_pos].
    - apply pow2_ge_0.
    - destruct S as [|x S]; [unfold mean; simpl; lra|]. apply mean_nonneg; [easy|auto].
  Qed.

  Lemma in_filter {P : R -> Prop} (dec : forall x, {P x} + {~ P x}) x :
    In x (filter (fun y => holds (dec y)) xs) -> P x.
  Proof. rewrite filter_In; intros [_ H]; unfold holds in H; destruct (dec x); easy. Qed.

  Lemma same_filter {P Q : R -> Prop} (dec : forall x, {P x} + {~ P x}) (dec' : forall x, {Q x} + {~ Q x}) :
    (forall x, In x xs -> P x <-> Q x) ->
    filter (fun y => holds (dec y)) xs = filter (fun y => holds (dec' y)) xs.
  Proof.
    intros H; apply filter_ext_in; intros x Hx; specialize (H x Hx).
    unfold holds; destruct (dec x), (dec' x); tauto.
  Qed.

  Lemma lowest_weight_nonneg t : 0 <= lowest_weight xs t.
  Proof.
    repeat apply Rmin_glb; apply one_sided_nonneg; intros x Hx; apply in_filter in Hx; lra.
  Qed.

  Lemma g_at_least_lowest t : lowest_weight xs t <= g xs t.
  Proof.
    rewrite g_as_one_sided. unfold lowest_weight, g_from_left, g_from_right.
    apply Rmin_glb.
    - eapply Rle_trans; [apply Rmin_l|apply Rmin_l].
    - eapply Rle_trans; [apply Rmin_r|apply Rmin_r].
  Qed.

  Lemma space (c : R) : exists h, 0 < h /\ forall x, In x xs -> x = c \/ x <= c - h \/ c + h <= x.
  Proof.
    destruct (room (map (fun x => (x, 0)) xs) c) as [h [H free]]. exists h; split; auto.
    intros x Hx. apply (free (x, 0)). apply in_map_iff; eauto.
  Qed.

  Lemma Rmin_close a b a' b' e : Rabs (a - a') < e -> Rabs (b - b') < e -> Rabs (Rmin a b - Rmin a' b') < e.
  Proof.
    intros A B; apply Rabs_def2 in A; apply Rabs_def2 in B.
    apply Rabs_def1; unfold Rmin; destruct (Rle_dec a b), (Rle_dec a' b'); lra.
  Qed.

  Lemma near_affine (f : R -> R) c eps : (exists rate, forall t u, f u = f t + rate * (u - t)) -> 0 < eps ->
    exists delta, 0 < delta /\ forall t, Rabs (t - c) < delta -> Rabs (f t - f c) < eps.
  Proof.
    intros [rate H] He. assert (P := Rabs_pos rate). exists (eps / (Rabs rate + 1)); split.
    - apply Rdiv_lt_0_compat; lra.
    - intros t Ht. rewrite (H c t). replace (f c + rate * (t - c) - f c) with (rate * (t - c)) by ring.
      rewrite Rabs_mult. assert (Q := Rabs_pos (t - c)).
      assert (Rabs (t - c) * (Rabs rate + 1) < eps).
      { apply (Rmult_lt_compat_r (Rabs rate + 1)) in Ht; [|lra].
        replace (eps / (Rabs rate + 1) * (Rabs rate + 1)) with eps in Ht by (field; lra). auto. }
      nra.
  Qed.

  Lemma limit_from_left c eps : 0 < eps ->
    exists delta, 0 < delta /\ forall t, c - delta < t < c -> Rabs (g xs t - g_from_left xs c) < eps.
  Proof.
    intros He. destruct (space c) as [h [Hh free]].
    destruct (near_affine (one_sided xs 1 (below c xs)) c eps (one_sided_affine _ _) He) as [d1 [D1 N1]].
    destruct (near_affine (one_sided xs (-1) (at_or_above c xs)) c eps (one_sided_affine _ _) He) as [d2 [D2 N2]].
    exists (Rmin h (Rmin d1 d2)). split; [repeat apply Rmin_pos; auto|]. intros t Ht.
    assert (M1 := Rmin_l h (Rmin d1 d2)); assert (M2 := Rmin_r h (Rmin d1 d2)).
    assert (M3 := Rmin_l d1 d2); assert (M4 := Rmin_r d1 d2).
    rewrite g_as_one_sided.
    replace (below t xs) with (below c xs)
      by (apply same_filter; intros x Hx; destruct (free x Hx) as [?|[?|?]]; lra).
    replace (above t xs) with (at_or_above c xs)
      by (apply same_filter; intros x Hx; destruct (free x Hx) as [?|[?|?]]; lra).
    apply Rmin_close; [apply N1|apply N2]; rewrite Rabs_left; lra.
  Qed.

  Lemma limit_from_right c eps : 0 < eps ->
    exists delta, 0 < delta /\ forall t, c < t < c + delta -> Rabs (g xs t - g_from_right xs c) < eps.
  Proof.
    intros He. destruct (space c) as [h [Hh free]].
    destruct (near_affine (one_sided xs 1 (at_or_below c xs)) c eps (one_sided_affine _ _) He) as [d1 [D1 N1]].
    destruct (near_affine (one_sided xs (-1) (above c xs)) c eps (one_sided_affine _ _) He) as [d2 [D2 N2]].
    exists (Rmin h (Rmin d1 d2)). split; [repeat apply Rmin_pos; auto|]. intros t Ht.
    assert (M1 := Rmin_l h (Rmin d1 d2)); assert (M2 := Rmin_r h (Rmin d1 d2)).
    assert (M3 := Rmin_l d1 d2); assert (M4 := Rmin_r d1 d2).
    rewrite g_as_one_sided.
    replace (below t xs) with (at_or_below c xs)
      by (apply same_filter; intros x Hx; destruct (free x Hx) as [?|[?|?]]; lra).
    replace (above t xs) with (above c xs)
      by (apply same_filter; intros x Hx; destruct (free x Hx) as [?|[?|?]]; lra).
    apply Rmin_close; [apply N1|apply N2]; rewrite Rabs_right; lra.
  Qed.

  Lemma lowest_weight_approached c : approached (g xs) (lowest_weight xs c) c.
  Proof.
    intros eps He. destruct (limit_from_left c eps He) as [d1 [D1 N1]].
    destruct (limit_from_right c eps He) as [d2 [D2 N2]].
    unfold lowest_weight, Rmin at 1. destruct (Rle_dec (g_from_left xs c) (g_from_right xs c)).
    - assert (M1 := Rmin_l d1 eps); assert (M2 := Rmin_r d1 eps); assert (M := Rmin_pos d1 eps D1 He).
      exists (c - Rmin d1 eps / 2); split.
      + rewrite Rabs_left; lra.
      + specialize (N1 (c - Rmin d1 eps / 2) ltac:(lra)). apply Rabs_def2 in N1. lra.
    - assert (M1 := Rmin_l d2 eps); assert (M2 := Rmin_r d2 eps); assert (M := Rmin_pos d2 eps D2 He).
      exists (c + Rmin d2 eps / 2); split.
      + rewrite Rabs_right; lra.
      + specialize (N2 (c + Rmin d2 eps / 2) ltac:(lra)). apply Rabs_def2 in N2. lra.
  Qed.

  (* Between neighbouring data points g- and g+ are linear, so g, the lower of them, is above its chord. *)
  Lemma g_above_chord a b theta : a < b -> (forall x, In x xs -> x <= a \/ b <= x) -> 0 <= theta <= 1 ->
    (1 - theta) * lowest_weight xs a + theta * lowest_weight xs b <= g xs ((1 - theta) * a + theta * b).
  Proof.
    intros L free T.
    destruct (Req_dec theta 0) as [->|T0];
      [replace ((1 - 0) * a + 0 * b) with a by ring; generalize (g_at_least_lowest a); lra|].
    destruct (Req_dec theta 1) as [->|T1];
      [replace ((1 - 1) * a + 1 * b) with b by ring; generalize (g_at_least_lowest b); lra|].
    set (t := (1 - theta) * a + theta * b). assert (a < t < b) by (unfold t; split; nra).
    assert (La : lowest_weight xs a <= g_from_right xs a) by apply Rmin_r.
    assert (Lb : lowest_weight xs b <= g_from_left xs b) by apply Rmin_l.
    unfold g_from_right in La; unfold g_from_left in Lb.
    replace (below b xs) with (at_or_below a xs) in Lb
      by (apply same_filter; intros x Hx; destruct (free x Hx); lra).
    replace (at_or_above b xs) with (above a xs) in Lb
      by (apply same_filter; intros x Hx; destruct (free x Hx); lra).
    rewrite g_as_one_sided.
    replace (below t xs) with (at_or_below a xs) by (apply same_filter; intros x Hx; destruct (free x Hx); lra).
    replace (above t xs) with (above a xs) by (apply same_filter; intros x Hx; destruct (free x Hx); lra).
    assert (chord : forall sign S,
      one_sided xs sign S t = (1 - theta) * one_sided xs sign S a + theta * one_sided xs sign S b).
    { intros sign S. destruct (one_sided_affine sign S) as [rate E]. rewrite (E a t), (E a b). unfold t; ring. }
    apply Rmin_glb; rewrite chord.
    - assert (M1 := Rle_trans _ _ _ La (Rmin_l _ _)); assert (M2 := Rle_trans _ _ _ Lb (Rmin_l _ _)).
      apply Rplus_le_compat; apply Rmult_le_compat_l; lra.
    - assert (M1 := Rle_trans _ _ _ La (Rmin_r _ _)); assert (M2 := Rle_trans _ _ _ Lb (Rmin_r _ _)).
      apply Rplus_le_compat; apply Rmult_le_compat_l; lra.
  Qed.
End Weight.

Lemma g_above_chords data : Sorted left_of data ->
  above_chords (g (map fst data)) (lowest_weight (map fst data)) data.
Proof.
  set (xs := map fst data). intros S.
  assert (split : exists before, (before ++ data)%list = data) by (exists []; auto).
  assert (H : forall before rest, (before ++ rest)%list = data -> above_chords (g xs) (lowest_weight xs) rest);
    [|apply (H []); auto].
  clear split. intros before rest; revert before; induction rest as [|p [|q rest] IH]; intros before E; simpl; auto.
  split; [|apply (IH (before ++ [p])%list); rewrite <- app_assoc; auto].
  intros theta T.
  assert (SS : StronglySorted left_of (before ++ p :: q :: rest)).
  { rewrite E. apply Sorted_StronglySorted; auto. intros a b c; unfold left_of; lra. }
  assert (N : fst p < fst q /\ forall x, In x xs -> x <= fst p \/ fst q <= x).
  { unfold xs; rewrite <- E. clear - SS. induction before as [|d before IH]; simpl in *.
    - apply StronglySorted_inv in SS as [SS F]. apply StronglySorted_inv in SS as [_ F'].
      inversion F as [|? ? L F2]; subst. split; [exact L|].
      intros x [<-|[<-|H]]; [left; lra|right; lra|right].
      apply in_map_iff in H as [d [<- Hd]]. rewrite Forall_forall in F'. specialize (F' d Hd).
      unfold left_of in F'. lra.
    - apply StronglySorted_inv in SS as [SS F]. destruct (IH SS) as [L H]; split; auto.
      intros x [<-|Hx]; auto. left. rewrite Forall_forall in F. specialize (F p).
      assert (left_of d p) by (apply F, in_or_app; right; now left). unfold left_of in *; lra. }
  apply g_above_chord; tauto.
Qed.

(* B1.a: over all functions that interpolate the data the infimum of int |f''| g is sum_j |s_{j+1} - s_j| g_*(x_j),
   s_j the slopes of the linear spline and g_*(x) = min{g(x-), g(x+)}. *)
Theorem least_stability_curvature p q data :
  let all := p :: q :: data in
  let xs := map fst all in
  Sorted left_of all ->
  is_infimum (curvature_of_an_interpolant (g xs) all) (spline_curvature (lowest_weight xs) all).
Proof.
  intros all xs S. apply least_curvature; auto.
  - apply Forall_forall; intros; apply lowest_weight_nonneg.
  - apply g_above_chords; auto.
  - intros; apply g_nonneg.
  - intros; apply lowest_weight_approached.
Qed.

(* Attained by the linear spline where g is no lower beside its knots than at them. *)
Theorem spline_attains_least p q data :
  let all := p :: q :: data in
  let xs := map fst all in
  Sorted left_of all -> (forall x, In x xs -> lowest_weight xs x = g xs x) ->
  curvature_of_an_interpolant (g xs) all (spline_curvature (lowest_weight xs) all).
Proof.
  intros all xs S H.
  enough (E : spline_curvature (lowest_weight xs) all = spline_curvature (g xs) all)
    by (rewrite E; apply spline_attains; auto).
  assert (I : forall d, In d all -> lowest_weight xs (fst d) = g xs (fst d)) by (intros; apply H, in_map; auto).
  revert I; clear; generalize all; intros l. induction l as [|a [|b [|c l]] IH]; intros I; try reflexivity.
  change (Rabs (slope_between b c - slope_between a b) * lowest_weight xs (fst b)
      + spline_curvature (lowest_weight xs) (b :: c :: l)
    = Rabs (slope_between b c - slope_between a b) * g xs (fst b) + spline_curvature (g xs) (b :: c :: l)).
  rewrite (IH (fun d Hd => I d (or_intror Hd))), (I b (or_intror (or_introl eq_refl))). reflexivity.
Qed.

Lemma spline_curvature_nonneg xs data : 0 <= spline_curvature (lowest_weight xs) data.
Proof.
  induction data as [|a [|b [|c l]] IH]; try (simpl; lra).
  change (0 <= Rabs (slope_between b c - slope_between a b) * lowest_weight xs (fst b)
    + spline_curvature (lowest_weight xs) (b :: c :: l)).
  assert (W := lowest_weight_nonneg xs (fst b)). assert (A := Rabs_pos (slope_between b c - slope_between a b)). nra.
Qed.

Lemma beyond_critical v eta : 0 <= v -> 1 / (1 / 2 + v) < eta -> 1 / eta - 1 / 2 < v.
Proof.
  intros P H. assert (C : 0 < 1 / (1 / 2 + v)) by (apply Rdiv_lt_0_compat; lra).
  enough (1 / eta < 1 / 2 + v) by lra.
  replace (1 / 2 + v) with (/ (1 / (1 / 2 + v))) by (field; lra).
  unfold Rdiv at 1. rewrite Rmult_1_l. apply Rinv_lt_contravar; [apply Rmult_lt_0_compat|]; lra.
Qed.

(* So beyond the step size 1 / (1/2 + that sum) no interpolating function satisfies the inequality of M6. *)
Theorem no_interpolant_satisfies_the_bound data value slope knots eta :
  let xs := map fst data in
  Sorted left_of data -> passes_through (piecewise_linear value slope knots) data ->
  1 / (1 / 2 + spline_curvature (lowest_weight xs) data) < eta ->
  1 / eta - 1 / 2 < curvature (g xs) knots.
Proof.
  intros xs S I H. assert (B := beyond_critical _ eta (spline_curvature_nonneg xs data) H).
  eapply Rlt_le_trans; [exact B|]. apply (spline_has_least_curvature _ _ _ value slope); auto.
  - apply Forall_forall; intros; apply lowest_weight_nonneg.
  - apply g_above_chords; auto.
  - intros; apply g_nonneg.
Qed.

(** * B1 as first stated is false *)

(* Data at -3, 3 and 6, with y = (0, 0, 1): it is cheaper to bend just after 3 than at 3. *)
Definition three : list point := [(-3, 0); (3, 0); (6, 1)].

Theorem spline_is_not_optimal : exists value slope knots,
  passes_through (piecewise_linear value slope knots) three
  /\ curvature (g (map fst three)) knots < curvature (g (map fst three)) (spline_knots three).
Proof.
  exists 0, 0, [(301 / 100, 100 / 299)]; split.
  - unfold passes_through, piecewise_linear, three; repeat constructor; simpl; rewrite ?relu_neg, ?relu_pos by lra; lra.
  - unfold curvature, three; simpl. unfold slope_between; simpl.
    unfold g, g_minus, g_plus, below, above, share; simpl.
    repeat (destruct (Rlt_dec _ _) as [?|?]; try lra). unfold mean; simpl.
    replace ((1 - 0) / (6 - 3) - (0 - 0) / (3 - -3)) with (1 / 3) by field.
    rewrite (Rabs_right (100 / 299)), (Rabs_right (1 / 3)) by lra.
    match goal with |- _ * Rmin ?a ?b + 0 < _ * Rmin ?c ?d + 0 =>
      assert (U := Rmin_l a b); set (m := Rmin a b) in *; assert (V : 2 <= Rmin c d) end.
    + apply Rmin_glb.
      * match goal with |- _ <= ?k * sqrt ?s =>
          replace k with (2 / 3) by field; replace s with 10 by field end.
        assert (3 <= sqrt 10); [|lra].
        rewrite <- (sqrt_square 3) by lra. apply sqrt_le_1_alt. lra.
      * match goal with |- _ <= ?k * sqrt ?s =>
          replace k with (1 / 3) by field; replace s with 37 by field end.
        assert (6 <= sqrt 37); [|lra].
        rewrite <- (sqrt_square 6) by lra. apply sqrt_le_1_alt. lra.
    + match type of U with _ <= ?k * sqrt ?s =>
        replace s with 1 in U by field; replace k with (602 / 450) in U by field end.
      rewrite sqrt_1 in U. lra.
Qed.
